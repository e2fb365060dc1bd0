// SPDX-License-Identifier: MIT
#include "metricsd/otlp_exporter.h"

#include <vector>

#include <doctest/doctest.h>

namespace auralis::otlp_exporter_test {
namespace {

// A collector that may be away.
struct Collector {
  std::string take(const std::string& json) {
    MutexLock lock(mutex);
    ++calls;
    if (!away) taken.push_back(json);
    changed.notify_all();
    return away ? "it is away" : "";
  }

  void wait_for(const std::vector<std::string>& expected) {
    MutexLock lock(mutex);
    while (taken != expected) lock.wait(changed);
  }

  void wait_for_calls(int count) {
    MutexLock lock(mutex);
    while (calls < count) lock.wait(changed);
  }

  void set_away(bool is_away) {
    const MutexLock lock(mutex);
    away = is_away;
  }

  Mutex mutex;
  std::condition_variable changed;
  bool away = false;
  int calls = 0;
  std::vector<std::string> taken;
};

}  // namespace

TEST_CASE("OtlpExporter: requests arrive in order, also those made while the collector was away") {
  Collector collector;
  OtlpExporter exporter([&](const std::string& json) { return collector.take(json); },
                        std::chrono::milliseconds(1));
  exporter.send("1");
  collector.wait_for({"1"});
  collector.set_away(true);
  exporter.send("2");
  collector.wait_for_calls(4);
  exporter.send("3");
  collector.set_away(false);
  collector.wait_for({"1", "2", "3"});
}

TEST_CASE("OtlpExporter: beyond what it keeps, the oldest are dropped") {
  Collector collector;
  collector.set_away(true);
  OtlpExporter exporter([&](const std::string& json) { return collector.take(json); },
                        std::chrono::milliseconds(1));
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < OtlpExporter::kKept + 20; ++i) exporter.send(std::to_string(i));
  // The one that was under way while the others came may be kept or not.
  exporter.send("last");
  collector.set_away(false);
  {
    MutexLock lock(collector.mutex);
    while (collector.taken.empty() || collector.taken.back() != "last") lock.wait(collector.changed);
    CHECK(collector.taken.size() <= OtlpExporter::kKept + 1);
    CHECK(collector.taken.size() >= OtlpExporter::kKept - 1);
  }
}

TEST_CASE("OtlpExporter: ends though the collector is away") {
  Collector collector;
  collector.set_away(true);
  OtlpExporter exporter([&](const std::string& json) { return collector.take(json); }, std::chrono::hours(1));
  exporter.send("1");
  collector.wait_for_calls(1);
}

}  // namespace auralis::otlp_exporter_test
