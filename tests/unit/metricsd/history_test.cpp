// SPDX-License-Identifier: MIT
#include "metricsd/history.h"

#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>

namespace auralis::history_test {

using namespace test;

namespace {

constexpr const char* kDepth = "ring_buffer_depth_ms";
constexpr const char* kSent = "websocket_chunks_sent_total";
constexpr const char* kLatency = "audio_synthesis_latency_ms";

}  // namespace

TEST_CASE_FIXTURE(HistoryFixture, "History: gauges are kept as they are, and what no panel shows is not") {
  CHECK(history.newest() == 0);
  add({gauge_of(kDepth, 750), gauge_of("something_else", 1)});
  add({gauge_of(kDepth, 640)});
  REQUIRE(history.series().size() == 1);
  CHECK(history.oldest() == 1);
  CHECK(history.newest() == 2);
  CHECK(history.value(series(kDepth), 1) == 750);
  CHECK(history.value(series(kDepth), 2) == 640);
  CHECK(history.time_ns(2) - history.time_ns(1) == kNsPerSecond);
  CHECK(history.unix_ns(2) == clock.unix_ns());
}

TEST_CASE_FIXTURE(HistoryFixture,
                  "History: a counter is kept as its increases, the first of which is unknown") {
  add({counter_of(kSent, 1'000)});
  CHECK(std::isnan(newest(kSent)));
  add({counter_of(kSent, 1'010)});
  CHECK(newest(kSent) == 10);
  add({counter_of(kSent, 1'010)});
  CHECK(newest(kSent) == 0);
  CHECK(series(kSent).total == 1'010);
  CHECK(history.increase(series(kSent), 60 * kNsPerSecond) == 10);
  CHECK(history.increase(series(kSent), kNsPerSecond) == 0);
}

TEST_CASE_FIXTURE(HistoryFixture, "History: a counter that restarts has risen from 0") {
  add({counter_of(kSent, 1'000), histogram_of(kLatency, {10, 20}, {5, 5, 5})});
  add({counter_of(kSent, 7), histogram_of(kLatency, {10, 20}, {3, 6, 0})});
  CHECK(newest(kSent) == 7);
  CHECK(history.bucket_increases(series(kLatency), kNsPerSecond) == std::vector<double>{3, 6, 0});
  CHECK(series(kSent).total == 7);
}

TEST_CASE_FIXTURE(HistoryFixture,
                  "History: absence is a gap, and what was counted meanwhile comes with its end") {
  add({counter_of(kSent, 10), gauge_of(kDepth, 750), histogram_of(kLatency, {10}, {1, 0})});
  add({});
  CHECK(std::isnan(newest(kSent)));
  CHECK(std::isnan(newest(kDepth)));
  CHECK(std::isnan(newest(kLatency)));
  add({counter_of(kSent, 15), gauge_of(kDepth, 700), histogram_of(kLatency, {10}, {1, 2})});
  CHECK(newest(kSent) == 5);
  CHECK(newest(kDepth) == 700);
  CHECK(history.bucket_increases(series(kLatency), 60 * kNsPerSecond) == std::vector<double>{0, 2});
}

TEST_CASE_FIXTURE(HistoryFixture, "History: quantiles of a span are those of what was observed in it") {
  // Half an hour of fast batches counts for nothing in a minute of slow ones.
  double fast = 0;
  double slow = 0;
  for (int second = 0; second < 1'800; ++second) {
    add({histogram_of(kLatency, {10, 100, 200}, {fast += 10, 0, slow, 0})});
  }
  for (int second = 0; second < 60; ++second) {
    add({histogram_of(kLatency, {10, 100, 200}, {fast, 0, slow += 10, 0})});
  }
  const auto quantile = [&](double q, std::int64_t seconds) {
    const auto counts = history.bucket_increases(series(kLatency), seconds * kNsPerSecond);
    return histogram_quantile(q, series(kLatency).bounds, counts);
  };
  CHECK(quantile(0.5, 60) == doctest::Approx(150));
  CHECK(quantile(0.5, 600).value() < 10);
  CHECK(quantile(0.99, 600).value() > 100);
}

TEST_CASE("histogram_quantile: interpolates as Prometheus does") {
  CHECK_FALSE(histogram_quantile(0.5, {10, 20}, {0, 0, 0}));
  CHECK_FALSE(histogram_quantile(0.5, {}, {3}));
  CHECK(histogram_quantile(0.5, {10, 20}, {10, 0, 0}) == doctest::Approx(5));
  CHECK(histogram_quantile(0.75, {10, 20}, {2, 2, 0}) == doctest::Approx(15));
  CHECK(histogram_quantile(1, {10, 20}, {2, 2, 0}) == doctest::Approx(20));
  INFO("above the last bound it is that bound");
  CHECK(histogram_quantile(0.99, {10, 20}, {1, 0, 99}) == doctest::Approx(20));
}

TEST_CASE_FIXTURE(HistoryFixture,
                  "History: keeps 15 minutes, and forgets series that were absent for as long") {
  add({gauge_of(kDepth, 1, {{"station", "closed"}})});
  for (int second = 0; second < 899; ++second) add({gauge_of(kDepth, 2, {{"station", "open"}})});
  CHECK(history.newest() - history.oldest() + 1 == History::kPoints);
  REQUIRE(history.series().size() == 2);
  CHECK(history.series()[0].label("station") == "closed");
  CHECK(history.series()[0].label("process").empty());
  add({gauge_of(kDepth, 3, {{"station", "open"}})});
  CHECK(history.oldest() == 2);
  REQUIRE(history.series().size() == 1);
  CHECK(history.value(history.series()[0], 2) == 2);
  CHECK(history.value(history.series()[0], history.newest()) == 3);
}

TEST_CASE_FIXTURE(HistoryFixture, "History: 15 minutes of time, also if metricsd did not run for a while") {
  for (int second = 0; second < 600; ++second) add({gauge_of(kDepth, 1)});
  add_after(600 * kNsPerSecond, {gauge_of(kDepth, 2)});
  CHECK(history.time_ns(history.newest()) - history.time_ns(history.oldest()) < History::kSpanNs);
  CHECK(history.time_ns(history.newest()) - history.time_ns(history.oldest() - 1) >= History::kSpanNs);
  add_after(3'600 * kNsPerSecond, {gauge_of(kDepth, 3)});
  CHECK(history.oldest() == history.newest());
}

TEST_CASE_FIXTURE(HistoryFixture, "History: a gauge's mean leaves out what is absent") {
  add({gauge_of(kDepth, 100)});
  add({gauge_of(kDepth, 2)});
  add({});
  add({gauge_of(kDepth, 6)});
  CHECK(history.mean(series(kDepth), 3 * kNsPerSecond) == 4);
  add({});
  CHECK_FALSE(history.mean(series(kDepth), kNsPerSecond));
}

TEST_CASE_FIXTURE(HistoryFixture, "History: a series beyond the limit is left out, the others go on") {
  std::vector<MetricSample> samples;
  for (std::size_t station = 0; station <= History::kMostSeries; ++station) {
    samples.push_back(gauge_of(kDepth, 5, {{"station", std::to_string(station)}}));
  }
  add(samples);
  add(samples);
  CHECK(history.series().size() == History::kMostSeries);
  CHECK(history.value(history.series()[0], history.newest()) == 5);
}

TEST_CASE_FIXTURE(HistoryFixture,
                  "History: a histogram with other bounds, of another version, begins again") {
  add({histogram_of(kLatency, {10, 20}, {5, 5, 5})});
  add({histogram_of(kLatency, {10}, {5, 5})});
  REQUIRE(history.series().size() == 1);
  CHECK(series(kLatency).bounds == std::vector<double>{10});
  CHECK(std::isnan(newest(kLatency)));
  add({histogram_of(kLatency, {10}, {6, 8})});
  CHECK(history.bucket_increases(series(kLatency), kNsPerSecond) == std::vector<double>{1, 3});
}

}  // namespace auralis::history_test
