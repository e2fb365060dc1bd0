// SPDX-License-Identifier: MIT
// Changes of the music that were answered `accepted` and that synthd has not confirmed yet. Each comes into
// force or is taken back, so that no listener waits for a change that is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/thread_checker.h"
#include "common/segments/audio_segment.h"

namespace auralis {

// Pure: the time is passed in. One thread.
class AcceptedChanges {
 public:
  struct Change {
    StationId id;
    std::string station;        // its name
    std::uint64_t request = 0;  // number of the newest one
  };

  // Replaces an earlier change of that station, whose parameters it includes.
  void add(Change change, std::int64_t now_ns);

  // Removes the changes that synthd confirmed. Removes and returns those that will not come into force: whose
  // station is gone, or that a working synthd did not confirm within kTakeUpNs. `state_of` finds a station's
  // state; null if there is none. While synthd hangs or is not running nothing is taken back: it finds the
  // requests when it continues.
  std::vector<Change> extract_void(const std::function<const StationState*(const StationId&)>& state_of,
                                   bool synthd_works, std::int64_t now_ns);

  static constexpr std::int64_t kTakeUpNs = 5 * kNsPerSecond;

 private:
  struct Pending {
    Change change;
    std::int64_t since_ns = 0;  // from when on a working synthd could have confirmed it
  };
  ThreadChecker checker_;
  std::map<std::size_t, Pending> pending_;  // by index
};

}  // namespace auralis
