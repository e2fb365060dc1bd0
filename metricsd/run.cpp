// SPDX-License-Identifier: MIT
#include "metricsd/run.h"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <random>

#include "common/base/utc_text.h"

namespace auralis {
namespace {

std::string random_id() {
  std::random_device random;
  return hex_id(std::uint64_t{random()} << 32 | random());
}

}  // namespace

std::string hex_id(std::uint64_t id) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016" PRIx64, id);
  return text.data();
}

Run begin_run(const Clock& clock) { return {random_id(), utc_text_ms(clock.unix_ns())}; }

}  // namespace auralis
