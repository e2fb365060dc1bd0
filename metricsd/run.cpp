// SPDX-License-Identifier: MIT
#include "metricsd/run.h"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <ctime>
#include <random>

namespace auralis {
namespace {

std::string random_id() {
  std::random_device random;
  const std::uint64_t bits = std::uint64_t{random()} << 32 | random();
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016" PRIx64, bits);
  return text.data();
}

std::string iso_time(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / kNsPerSecond;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ",
                static_cast<int>(unix_ns % kNsPerSecond / kNsPerMs));
  return text.data();
}

}  // namespace

Run begin_run(const Clock& clock) { return {random_id(), iso_time(clock.unix_ns())}; }

}  // namespace auralis
