// SPDX-License-Identifier: MIT
// The text, byte by byte. That another parser reads it is tests/integration/metrics_http_test.py.
#include "metricsd/openmetrics.h"

#include <doctest/doctest.h>

namespace auralis::openmetrics_test {
namespace {

SnapshotFamily family_of(MetricSample sample) {
  return {sample.spec.name, sample.spec.help, sample.spec.type, {sample}};
}

MetricSample number(MetricType type, const std::string& name, double value,
                    std::vector<MetricLabel> labels = {}) {
  MetricSample sample;
  sample.spec = {name, "Its help", type, std::move(labels), {}};
  sample.value = value;
  return sample;
}

std::string text_of(MetricSample sample) {
  Snapshot snapshot;
  snapshot.families.push_back(family_of(std::move(sample)));
  return openmetrics(snapshot);
}

}  // namespace

TEST_CASE("openmetrics: nothing is only its end") { CHECK(openmetrics({}) == "# EOF\n"); }

TEST_CASE("openmetrics: a counter's family has no suffix, its series has") {
  CHECK(text_of(number(MetricType::kCounter, "chunks_total", 1e12 + 1)) ==
        "# TYPE chunks counter\n# HELP chunks Its help\nchunks_total 1000000000001\n# EOF\n");
  CHECK(text_of(number(MetricType::kCounter, "chunks", 3)) ==
        "# TYPE chunks unknown\n# HELP chunks Its help\nchunks 3\n# EOF\n");
}

TEST_CASE("openmetrics: the unit is named where it is one of OpenMetrics") {
  CHECK(text_of(number(MetricType::kCounter, "busy_seconds_total", 0.5)) ==
        "# TYPE busy_seconds counter\n# UNIT busy_seconds seconds\n# HELP busy_seconds Its help\n"
        "busy_seconds_total 0.5\n# EOF\n");
  for (const char* name : {"depth_ms", "seconds", "milliseconds", "memory_mb", "seconds_left"})
    CHECK_MESSAGE(text_of(number(MetricType::kGauge, name, 1)).find("# UNIT") == std::string::npos, name);
}

TEST_CASE("openmetrics: labels and help are escaped") {
  MetricSample sample =
      number(MetricType::kGauge, "depth_ms", -12.5, {{"station", "a \"b\"\\c\nd"}, {"process", "x"}});
  sample.spec.help = "In \"ms\"";
  CHECK(text_of(sample) ==
        "# TYPE depth_ms gauge\n# HELP depth_ms In \\\"ms\\\"\n"
        "depth_ms{station=\"a \\\"b\\\"\\\\c\\nd\",process=\"x\"} -12.5\n# EOF\n");
}

TEST_CASE("openmetrics: a histogram has cumulative buckets, whose bounds have one form only") {
  MetricSample sample = number(MetricType::kHistogram, "delay_ms", 0, {{"process", "x"}});
  sample.spec.bounds = {0.25, 10, 2e6};
  sample.buckets = {1, 0, 2, 1};
  sample.sum = 77.5;
  CHECK(text_of(sample) ==
        "# TYPE delay_ms histogram\n# HELP delay_ms Its help\n"
        "delay_ms_bucket{process=\"x\",le=\"0.25\"} 1\n"
        "delay_ms_bucket{process=\"x\",le=\"10.0\"} 1\n"
        "delay_ms_bucket{process=\"x\",le=\"2e+06\"} 3\n"
        "delay_ms_bucket{process=\"x\",le=\"+Inf\"} 4\n"
        "delay_ms_count{process=\"x\"} 4\n"
        "delay_ms_sum{process=\"x\"} 77.5\n# EOF\n");
}

TEST_CASE("openmetrics: an exemplar follows the value of its counter or bucket, escaped") {
  const auto with = [](MetricSample sample, const Exemplar& exemplar) {
    Snapshot snapshot;
    snapshot.families.push_back(family_of(std::move(sample)));
    std::string text = openmetrics(snapshot, {exemplar});
    return text.substr(text.find("Its help\n") + 9);
  };
  Exemplar exemplar{"lost_total",
                    {{"station", "day"}},
                    0,
                    {{"chunk", "12"}, {"link", "a\"b\\\nc"}},
                    3.5,
                    1,
                    1'700'000'000'500'000'000};
  const std::string text = " # {chunk=\"12\",link=\"a\\\"b\\\\\\nc\"} 3.5 1700000000.500\n";
  const MetricSample lost = number(MetricType::kCounter, "lost_total", 7, {{"station", "day"}});
  CHECK(with(lost, exemplar) == "lost_total{station=\"day\"} 7" + text + "# EOF\n");
  exemplar.series[0].value = "night";
  CHECK(with(lost, exemplar) == "lost_total{station=\"day\"} 7\n# EOF\n");

  MetricSample delays = number(MetricType::kHistogram, "delay_ms", 0);
  delays.spec.bounds = {1, 5};
  delays.buckets = {1, 2, 3};
  exemplar.metric = "delay_ms";
  exemplar.series.clear();
  exemplar.bucket = 1;
  CHECK(with(delays, exemplar)
            .find("delay_ms_bucket{le=\"5.0\"} 3" + text + "delay_ms_bucket{le=\"+Inf\"} 6\n") !=
        std::string::npos);
  exemplar.bucket = 2;
  CHECK(with(delays, exemplar).find("{le=\"5.0\"} 3\ndelay_ms_bucket{le=\"+Inf\"} 6" + text) !=
        std::string::npos);
  INFO("OpenMetrics allows none elsewhere");
  exemplar.metric = "depth";
  exemplar.bucket = 0;
  for (const MetricType type : {MetricType::kGauge, MetricType::kCounter})
    CHECK(with(number(type, "depth", 2), exemplar) == "depth 2\n# EOF\n");
}

TEST_CASE("openmetrics: counters and histograms without labels say when they began to count") {
  const auto created = [](MetricSample sample) {
    sample.began_unix_ns = 1'700'000'000'012'999'999;
    const std::string text = text_of(std::move(sample));
    const std::size_t at = text.find("_created");
    return at == std::string::npos ? "" : text.substr(text.rfind('\n', at) + 1);
  };
  CHECK(created(number(MetricType::kCounter, "chunks_total", 3)) == "chunks_created 1700000000.012\n# EOF\n");
  MetricSample delays = number(MetricType::kHistogram, "delay_ms", 0);
  delays.buckets = {0};
  CHECK(created(delays) == "delay_ms_created 1700000000.012\n# EOF\n");
  CHECK(created(number(MetricType::kCounter, "chunks_total", 3, {{"process", "x"}})).empty());
  INFO("neither is a counter for OpenMetrics");
  CHECK(created(number(MetricType::kCounter, "chunks", 3)).empty());
  CHECK(created(number(MetricType::kGauge, "depth_ms", 3)).empty());
}

}  // namespace auralis::openmetrics_test
