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
  const std::uint64_t bits = std::uint64_t{random()} << 32 | random();
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016" PRIx64, bits);
  return text.data();
}

}  // namespace

Run begin_run(const Clock& clock) { return {random_id(), utc_text_ms(clock.unix_ns())}; }

}  // namespace auralis
