// SPDX-License-Identifier: MIT
// Estimates what listeners missed while streamd hung, if it then ended without running again (SIGKILL, a
// watchdog). streamd cannot count that itself: its connections stayed open until it ended, and its next start
// does not know when that was.
#pragma once

#include <cstdint>

namespace auralis {

// One thread at a time. Times are CLOCK_MONOTONIC nanoseconds.
class HangLosses {
 public:
  // The heartbeat is written each second: one older than this has stopped.
  static constexpr std::int64_t kStoppedNs = 2'000'000'000;

  // Notes, about each second, that streamd is alive but its heartbeat has stopped. `chunk_ns`: the duration
  // of a chunk; 0: synthd does not run, so no chunk falls due.
  void note_hang(std::int64_t now_ns, std::int64_t chunk_ns);

  // Notes, about each second, that streamd is healthy. `generation`: of its segment, another for each start;
  // `due`: chunks that it has counted as due, over all starts. Returns how many more fell due since the last
  // heartbeat of the start before, if that one hung until it ended; 0 if it ran again, and so counted them.
  double note_healthy(std::uint64_t generation, std::int64_t heartbeat_ns, double due, double listeners);

 private:
  std::uint64_t generation_ = 0;
  double due_ = 0;
  double listeners_ = 0;
  std::int64_t until_ns_ = 0;  // what fell due until then is counted, by streamd or in `missed_`
  double missed_ = 0;          // chunks
};

}  // namespace auralis
