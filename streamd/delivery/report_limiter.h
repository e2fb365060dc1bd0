// SPDX-License-Identifier: MIT
// Limits how often a player may report its playback. Pure.
#pragma once

#include <cstdint>

#include "common/base/clock.h"

namespace auralis {

// One thread.
class ReportLimiter {
 public:
  // `absent_ns`: time in which the process did not run, up to now (ProcessTime::absent_ns).
  explicit ReportLimiter(std::int64_t absent_ns) : absent_ns_(absent_ns) {}

  enum class Verdict {
    kNote,      // the report counts
    kDiscard,   // the report piled up while the process did not run: no fault of the player
    kTooOften,  // more than one report a second
  };
  Verdict judge(std::int64_t now_ns, std::int64_t absent_ns) {
    if (last_ns_ != 0 && now_ns - last_ns_ < kIntervalNs) {
      if (absent_ns - absent_ns_ < kIntervalNs) return Verdict::kTooOften;
      absent_ns_ += kIntervalNs;
      return Verdict::kDiscard;
    }
    last_ns_ = now_ns;
    return Verdict::kNote;
  }

  static constexpr std::int64_t kIntervalNs = kNsPerSecond;

 private:
  std::int64_t last_ns_ = 0;  // of the last report that counted
  std::int64_t absent_ns_;    // of which reports that piled up were discarded
};

}  // namespace auralis
