// SPDX-License-Identifier: MIT
#include "metricsd/absence.h"

#include "metricsd/metrics_daemon.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::absence_test {
namespace {

using namespace test;

struct Bench : SnapshotFixture {
  FakeSynthd synthd{config, Daemon::kSynthd, clock};
  FakeStreamd streamd{config, Daemon::kStreamd, clock};

  void beat() {
    synthd.beat(clock);
    streamd.beat(clock);
  }
  void work(int seconds) {
    for (int second = 0; second < seconds; ++second) {
      clock.now += kNsPerSecond;
      beat();
      streamd.metrics.send(10);
      streamd.metrics.bytes.add(1'000);
      streamd.metrics.cpu_seconds.add(0.1);
      source.sample();
    }
  }
};

}  // namespace

TEST_CASE("Absence: is a gap among steps that else come each second, noticed by what comes first after it") {
  Absence absence;
  std::int64_t now_ns = kNsPerSecond;
  const auto step = [&](std::int64_t after_ns) {
    now_ns += after_ns;
    absence.step(now_ns);
    return absence.lately(now_ns);
  };
  CHECK_FALSE(step(0));
  CHECK_FALSE(step(kNsPerSecond));
  CHECK_FALSE(step(Absence::kGapNs));
  CHECK(step(Absence::kGapNs + 1));
  CHECK(absence.lately(now_ns + Absence::kGraceNs - 1));
  CHECK_FALSE(absence.lately(now_ns + Absence::kGraceNs));

  INFO("steps that all come late are slow, and no absence");
  CHECK_FALSE(step(3 * kNsPerSecond));
  CHECK_FALSE(step(3 * kNsPerSecond));

  INFO("a look notices it before the step does, once");
  CHECK_FALSE(step(kNsPerSecond));
  now_ns += 65 * kNsPerSecond;
  absence.look(now_ns);
  CHECK(absence.lately(now_ns));
  absence.look(now_ns + Absence::kGraceNs);
  CHECK_FALSE(absence.lately(now_ns + Absence::kGraceNs));
}

TEST_CASE_FIXTURE(Bench,
                  "SnapshotSource: no daemon is reported to hang because all stood still for a while") {
  work(3);
  for (const bool scraped_first : {false, true}) {
    CAPTURE(scraped_first);
    clock.now += 65 * kNsPerSecond;  // neither metricsd nor the others ran
    if (scraped_first) {
      CHECK(metric(scrape(), "auralis_up", "streamd") == 1);
      CHECK(source.view().up == std::array<bool, 3>{true, true, true});
    }
    CHECK(source.sample().empty());
    CHECK(source.take().up == std::array<bool, 3>{true, true, true});
    CHECK(metric(source.take(), "websocket_chunks_sent_total").has_value());
    work(3);
    CHECK(source.take().up == std::array<bool, 3>{true, true, true});
  }
}

TEST_CASE_FIXTURE(
    Bench, "SnapshotSource: who does not beat after an absence, or had ended or hung before, is down") {
  work(3);
  INFO("it hung before");
  for (int second = 0; second < 6; ++second) {
    clock.now += kNsPerSecond;
    synthd.beat(clock);
    source.sample();
  }
  CHECK(source.take().up == std::array<bool, 3>{true, false, true});
  clock.now += 65 * kNsPerSecond;
  source.sample();
  CHECK(source.take().up == std::array<bool, 3>{true, false, true});

  INFO("it does not beat afterwards");
  streamd.beat(clock);
  for (int second = 0; second < 2; ++second) {
    clock.now += kNsPerSecond;
    source.sample();
  }
  CHECK(source.take().up == std::array<bool, 3>{false, true, true});

  INFO("it ended meanwhile");
  auto ended = std::make_unique<SnapshotFixture>();
  {
    const FakeSynthd gone(ended->config, Daemon::kSynthd, ended->clock);
    ended->source.sample();
    CHECK(ended->source.take().up[0]);
  }
  ended->clock.now += 65 * kNsPerSecond;
  CHECK(ended->source.sample().size() == 1);
  CHECK_FALSE(ended->source.take().up[0]);
}

TEST_CASE_FIXTURE(Bench, "SnapshotSource: rates do not span the time in which metricsd stood still") {
  work(10);
  const double bandwidth = 0.008;
  CHECK(metric(source.take(), "network_bandwidth_mbps") == doctest::Approx(bandwidth));
  clock.now += 4 * kNsPerSecond;  // within a short window; nothing was sent
  work(1);
  CHECK_FALSE(metric(source.take(), "network_bandwidth_mbps"));
  work(1);
  CHECK(metric(source.take(), "network_bandwidth_mbps") == doctest::Approx(bandwidth));
  CHECK(metric(source.take(), "websocket_chunk_delivery_success_rate") == 100);
}

TEST_CASE_FIXTURE(RuntimeFixture,
                  "MetricsDaemon: an absence of its own is no fault to the watchdog, a stuck step is") {
  MetricsDaemon daemon(config, clock);
  CHECK(daemon.fit_for_watchdog());
  clock.now += 65 * kNsPerSecond;
  CHECK(daemon.fit_for_watchdog());
  clock.now += kNsPerSecond;
  CHECK(daemon.fit_for_watchdog());
  clock.now += kNsPerSecond;
  CHECK_FALSE(daemon.fit_for_watchdog());
  daemon.step();
  CHECK(daemon.fit_for_watchdog());
}

}  // namespace auralis::absence_test
