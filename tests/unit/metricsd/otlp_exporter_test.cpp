// SPDX-License-Identifier: MIT
#include "metricsd/otlp_exporter.h"

#include <vector>

#include <doctest/doctest.h>

namespace auralis::otlp_exporter_test {
namespace {

constexpr int kAway = 0;

// A collector that answers as a test wants.
struct Collector {
  HttpAnswer take(const std::string& json) {
    const MutexLock lock(mutex);
    ++calls;
    if (status != kAway) answered.push_back(json);
    changed.notify_all();
    return {status, status == 200 ? "" : "a problem"};
  }

  OtlpExporter::Post post() {
    return [this](const std::string& json) { return take(json); };
  }

  void wait_for(const std::vector<std::string>& expected) {
    MutexLock lock(mutex);
    while (answered != expected) lock.wait(changed);
  }

  void wait_for_calls(int count) {
    MutexLock lock(mutex);
    while (calls < count) lock.wait(changed);
  }

  void answer_with(int new_status) {
    const MutexLock lock(mutex);
    status = new_status;
  }

  Mutex mutex;
  std::condition_variable changed;
  int status = 200;
  int calls = 0;
  std::vector<std::string> answered;
};

constexpr std::chrono::milliseconds kPause{1};

}  // namespace

TEST_CASE("OtlpExporter: requests arrive in order, also those made while the collector was away") {
  Collector collector;
  OtlpExporter exporter(collector.post(), kPause);
  exporter.send("1");
  collector.wait_for({"1"});
  collector.answer_with(kAway);
  exporter.send("2");
  collector.wait_for_calls(4);
  exporter.send("3");
  collector.answer_with(200);
  collector.wait_for({"1", "2", "3"});
}

TEST_CASE("OtlpExporter: what the collector takes or refuses is sent once, what it cannot take now again") {
  Collector collector;
  OtlpExporter exporter(collector.post(), kPause);
  std::vector<std::string> expected;
  for (const int status : {202, 400, 404, 500, 200}) {
    CAPTURE(status);
    collector.answer_with(status);
    expected.push_back(std::to_string(status));
    exporter.send(expected.back());
    collector.wait_for(expected);
  }
  collector.answer_with(503);
  exporter.send("later");
  collector.wait_for_calls(8);
  MutexLock lock(collector.mutex);
  CHECK(collector.answered[5] == "later");
  CHECK(collector.answered[6] == "later");
}

TEST_CASE("OtlpExporter: beyond what it keeps, the oldest are dropped") {
  Collector collector;
  collector.answer_with(kAway);
  OtlpExporter exporter(collector.post(), kPause);
  for (std::size_t i = 0; i < OtlpExporter::kKept + 20; ++i) exporter.send(std::to_string(i));
  exporter.send("last");
  collector.answer_with(200);
  MutexLock lock(collector.mutex);
  while (collector.answered.empty() || collector.answered.back() != "last") lock.wait(collector.changed);
  // The one that was under way while the others came may be kept or not.
  CHECK(collector.answered.size() <= OtlpExporter::kKept + 1);
  CHECK(collector.answered.size() >= OtlpExporter::kKept - 1);
}

TEST_CASE("OtlpExporter: ends though the collector is away") {
  Collector collector;
  collector.answer_with(kAway);
  OtlpExporter exporter(collector.post(), std::chrono::hours(1));
  exporter.send("1");
  collector.wait_for_calls(1);
}

}  // namespace auralis::otlp_exporter_test
