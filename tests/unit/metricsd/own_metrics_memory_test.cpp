// SPDX-License-Identifier: MIT
#include "metricsd/own_metrics_memory.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace auralis::own_metrics_memory_test {
namespace {

std::vector<std::string> stations(const OwnMetricsMemory& memory) {
  std::vector<MetricSample> samples;
  memory.read(samples);
  std::vector<std::string> found;
  for (const auto& sample : samples) {
    if (sample.spec.name == "ring_buffer_depth_ms") found.push_back(sample.spec.labels.at(0).value);
  }
  return found;
}

TEST_CASE("a series with a late label is there once its text and its value are set") {
  OwnMetricsMemory memory;
  CHECK(stations(memory).empty());
  memory.set_late_label(3, "day");
  CHECK(stations(memory).empty());
  memory.metrics().rings.at(3).depth_ms.set(750);
  CHECK(stations(memory) == std::vector<std::string>{"day"});
  CHECK(memory.late_label(3) == "day");
  memory.set_late_label(3, "");
  CHECK(stations(memory).empty());
}

TEST_CASE("a name never shows the values of another that had its label before") {
  OwnMetricsMemory memory;
  memory.set_late_label(3, "day");
  memory.metrics().rings.at(3).depth_ms.set(750);
  memory.set_late_label(3, "day");
  CHECK(stations(memory) == std::vector<std::string>{"day"});
  memory.set_late_label(3, "night");
  CHECK(stations(memory).empty());
  memory.metrics().rings.at(3).depth_ms.set(740);
  CHECK(stations(memory) == std::vector<std::string>{"night"});
}

TEST_CASE("a text that cannot be a label is refused") {
  OwnMetricsMemory memory;
  CHECK_THROWS_AS(memory.set_late_label(0, std::string(64, 'a')), std::invalid_argument);
  CHECK_THROWS_AS(memory.set_late_label(0, "a\n"), std::invalid_argument);
}

}  // namespace
}  // namespace auralis::own_metrics_memory_test
