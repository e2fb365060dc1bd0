// SPDX-License-Identifier: MIT
#include "metricsd/metric_guard.h"

#include <limits>

#include "common/base/clock.h"

#include <doctest/doctest.h>

namespace auralis::metric_guard_test {
namespace {

MetricSample counter(double value, const std::string& name = "c_total", const std::string& late = "") {
  MetricSample sample;
  sample.spec = {name, "help", MetricType::kCounter, {}, {}};
  if (!late.empty()) sample.spec.labels.push_back({"station", late, 0});
  sample.value = value;
  return sample;
}

MetricSample gauge(double value) {
  MetricSample sample;
  sample.spec = {"g", "help", MetricType::kGauge, {}, {}};
  sample.value = value;
  return sample;
}

MetricSample histogram(std::vector<double> buckets, double sum) {
  MetricSample sample;
  sample.spec = {"h_ms", "help", MetricType::kHistogram, {}, {1, 2}};
  sample.buckets = std::move(buckets);
  sample.sum = sum;
  return sample;
}

struct Bench {
  MetricGuard guard;
  std::int64_t now_ns = 0;

  // How many of them are shown.
  std::size_t shown(std::vector<MetricSample> samples) {
    const std::size_t read = samples.size();
    const std::size_t withheld = guard.filter(samples, now_ns);
    CHECK(withheld + samples.size() == read);
    return samples.size();
  }
};

}  // namespace

TEST_CASE("MetricGuard: one impossible value withholds all of that read, and harms none after it") {
  const double most = 9'007'199'254'740'992;
  std::vector<MetricSample> impossible;
  for (const double value :
       {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), most * 2}) {
    impossible.push_back(counter(value, "d_total"));
    impossible.push_back(histogram({1, value, 1}, 5));
  }
  impossible.push_back(gauge(-most * 2));
  impossible.push_back(histogram({1, 0.5, 1}, 5));
  impossible.push_back(histogram({1, 1, 1}, std::numeric_limits<double>::infinity()));
  impossible.push_back(histogram({1, 1}, 5));
  impossible.push_back(counter(1, "9"));
  impossible.push_back(counter(1, "caf\xc3\xa9"));
  impossible.push_back(counter(1, "d_total", "\xff"));
  impossible.push_back(counter(1, "d_total"));
  impossible.back().spec.help = "\xc3";
  Bench bench;
  for (const auto& sample : impossible) {
    CHECK(bench.shown({counter(5), gauge(1)}) == 2);
    CHECK(bench.shown({counter(500), gauge(1), sample}) == 0);
  }
  CHECK(bench.shown({counter(most, "e_total"), gauge(-1), histogram({0, 0, 0}, -0.5)}) == 3);
}

TEST_CASE("MetricGuard: a counter that fell is withheld until it is no longer below, the others are not") {
  Bench bench;
  CHECK(bench.shown({counter(10), counter(1, "d_total"), gauge(5)}) == 3);
  CHECK(bench.shown({counter(9), counter(2, "d_total"), gauge(4)}) == 2);
  CHECK(bench.shown({counter(9.5), counter(2, "d_total"), gauge(3)}) == 2);
  CHECK(bench.shown({counter(10), counter(2, "d_total"), gauge(3)}) == 3);
}

TEST_CASE("MetricGuard: a histogram falls with any of its buckets, and with its sum") {
  Bench bench;
  CHECK(bench.shown({histogram({3, 2, 1}, 10)}) == 1);
  CHECK(bench.shown({histogram({3, 1, 2}, 11)}) == 0);
  CHECK(bench.shown({histogram({9, 9, 9}, 9)}) == 0);
  CHECK(bench.shown({histogram({3, 2, 2}, 15)}) == 1);
}

TEST_CASE("MetricGuard: another segment begins with a clean slate") {
  Bench bench;
  CHECK(bench.shown({counter(10)}) == 1);
  bench.guard.begin();
  CHECK(bench.shown({counter(0)}) == 1);
  CHECK(bench.shown({counter(1)}) == 1);
}

TEST_CASE("MetricGuard: a station that left and came back begins at 0; a constant series cannot leave") {
  Bench bench;
  CHECK(bench.shown({counter(10, "c_total", "sea"), counter(7, "d_total")}) == 2);
  CHECK(bench.shown({gauge(1)}) == 1);
  CHECK(bench.shown({counter(0, "c_total", "sea"), counter(0, "d_total")}) == 1);

  INFO("what was absent only because all was withheld, or nothing could be read, has not left");
  CHECK(bench.shown({counter(20, "c_total", "sea")}) == 1);
  CHECK(bench.shown({gauge(1), counter(-1)}) == 0);
  CHECK(bench.shown({}) == 0);
  CHECK(bench.shown({counter(0, "c_total", "sea")}) == 0);
}

TEST_CASE("MetricGuard: what stays below and goes on counting is taken for a beginning after a while") {
  Bench bench;
  CHECK(bench.shown({counter(1e9)}) == 1);
  for (int second = 0; second < 30; ++second) {
    CHECK(bench.shown({counter(second)}) == 0);
    bench.now_ns += kNsPerSecond;
  }
  INFO("but not while it falls again");
  CHECK(bench.shown({counter(3)}) == 0);
  bench.now_ns += MetricGuard::kSettledNs;
  CHECK(bench.shown({counter(3)}) == 1);
  CHECK(bench.shown({counter(2)}) == 0);
}

TEST_CASE("MetricGuard: of two series of one name the first is the one that counts") {
  Bench bench;
  CHECK(bench.shown({counter(10), counter(1)}) == 2);
  CHECK(bench.shown({counter(11), counter(1)}) == 2);
}

TEST_CASE("is_utf8: takes what is well-formed, and nothing else") {
  for (const char* good :
       {"", "abc", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xb5", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    CHECK_MESSAGE(is_utf8(good), good);
  }
  for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe9z"}) {
    CHECK_FALSE_MESSAGE(is_utf8(bad), bad);
  }
}

TEST_CASE(
    "MetricGuard: a series that jumped is shown once it has stayed up, and noise that is restored never is") {
  Bench bench;
  CHECK(bench.shown({counter(10), counter(10, "sent_bytes_total")}) == 2);
  bench.now_ns += kNsPerSecond;
  CHECK(bench.shown({counter(1e12), counter(1e9, "sent_bytes_total")}) == 1);
  bench.now_ns += kNsPerSecond;
  CHECK(bench.shown({counter(13), counter(2e9, "sent_bytes_total")}) == 2);  // restored
  for (int second = 0; second < 3; ++second) {
    bench.now_ns += kNsPerSecond;
    CHECK(bench.shown({counter(1e9 + second)}) == 0);  // as after an outage, of which all is counted at once
  }
  bench.now_ns += kNsPerSecond;
  CHECK(bench.shown({counter(1e9 + 3)}) == 1);
}

TEST_CASE("MetricGuard: what an outage of seconds adds in one step, of thousands of listeners, is no jump") {
  Bench bench;
  constexpr double kListeners = 5'000;
  constexpr double kLateMs = 7'000;
  const auto samples = [](double listeners) {
    return std::vector<MetricSample>{
        counter(listeners * kLateMs, "auralis_send_interval_late_ms_total"),
        counter(listeners * kLateMs * kLateMs, "auralis_send_interval_ms_squares_total"),
        histogram({0, 0, 70 * listeners}, 70 * listeners * kLateMs / 2)};
  };
  CHECK(bench.shown(samples(0)) == 3);
  bench.now_ns += kNsPerSecond;
  CHECK(bench.shown(samples(kListeners)) == 3);
}

TEST_CASE("MetricGuard: a series that jumped and fell again has not stayed up") {
  Bench bench;
  CHECK(bench.shown({counter(10)}) == 1);
  CHECK(bench.shown({counter(1e12)}) == 0);
  bench.now_ns += kNsPerSecond;
  CHECK(bench.shown({counter(5)}) == 0);
  bench.now_ns += MetricGuard::kProvenNs;
  CHECK(bench.shown({counter(2e12)}) == 0);
  bench.now_ns += MetricGuard::kProvenNs;
  CHECK(bench.shown({counter(2e12)}) == 1);
}

}  // namespace auralis::metric_guard_test
