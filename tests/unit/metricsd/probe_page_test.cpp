// SPDX-License-Identifier: MIT
#include "metricsd/probe_page.h"

#include "common/metrics/metric_names.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::probe_page_test {
namespace {

class FakeProbe {
  MetricBinder& m_;

  std::vector<MetricLabel> labels(std::size_t stream) {
    return {late_label("station", stream), late_label("format", stream + 2)};
  }

 public:
  explicit FakeProbe(MetricBinder& m) : m_(m) {}
  Gauge night = m_.gauge(kProbeSuccess, "1 if right", labels(0));
  Gauge day = m_.gauge(kProbeSuccess, "1 if right", labels(1));
  Gauge received = m_.gauge(kProbeChunksReceived, "Chunks", labels(1));
  Gauge wrong = m_.gauge(kProbeChunksWrong, "Chunks", labels(1));
  Gauge last_run = m_.gauge(kProbeLastRun, "Time", labels(1));
};

}  // namespace

TEST_CASE_FIXTURE(test::SnapshotFixture, "probe_page: without a result it says how to get one") {
  CHECK(probe_page(source.take()).find("auralis-probe.timer") != std::string::npos);
}

TEST_CASE_FIXTURE(test::SnapshotFixture, "probe_page: a line for each stream says what was heard, and when") {
  MetricsWriter writer(config.probe_dir(), declared_metrics<FakeProbe>(), 1, 1);
  FakeProbe probe(writer.shard(0));
  const char* const texts[] = {"night", "day", "opus", "pcm"};
  for (std::size_t i = 0; i < std::size(texts); ++i) writer.set_late_label(i, texts[i]);
  probe.night.set(1);
  probe.day.set(0);
  probe.received.set(48);
  probe.wrong.set(3);
  probe.last_run.set(1'798'761'599);
  CHECK(probe_page(source.take()) ==
        "day in pcm: WRONG, 48 chunks received, 3 wrong or missing; listened 2026-12-31T23:59:59Z\n"
        "night in opus: right\n");
}

}  // namespace auralis::probe_page_test
