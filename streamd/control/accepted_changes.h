// SPDX-License-Identifier: MIT
// Changes of the music that were answered `accepted` and are not known to synthd yet. Each comes into force,
// or is taken back: so that no listener waits for a change that is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/segments/audio_segment.h"

namespace auralis {

// Pure: the time is passed in. One thread.
class AcceptedChanges {
 public:
  struct Change {
    StationId place;
    std::string station;        // its name
    std::uint64_t request = 0;  // number of the newest one
  };

  // In place of an earlier one of that station, whose parameters it holds, too.
  void add(Change change, std::int64_t now_ns);

  // Forgets those that synthd knows, and returns and forgets those that will not come into force: whose
  // station is gone, or that a synthd which works did not take up within kTakeUpNs. `state_of` finds a
  // station's state; null if there is none. While synthd hangs or is away nothing is taken back: it finds the
  // requests when it goes on.
  std::vector<Change> extract_void(const std::function<const StationState*(const StationId&)>& state_of,
                                   bool synthd_works, std::int64_t now_ns);

  static constexpr std::int64_t kTakeUpNs = 5 * kNsPerSecond;

 private:
  struct Pending {
    Change change;
    std::int64_t since_ns = 0;  // that a working synthd could have taken it up
  };
  std::map<std::size_t, Pending> pending_;  // by place
};

}  // namespace auralis
