// SPDX-License-Identifier: MIT
// Counts over all listeners of a run. Histograms are in microseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "tools/statistics.h"

namespace auralis {

// Close code of a connection that ended without a Close frame (RFC 6455).
inline constexpr int kCloseAbnormal = 1006;

struct Tally {
  // Counted from the first connection on.
  std::size_t started = 0;
  std::size_t opened = 0;
  std::size_t heard = 0;                      // received audio
  std::map<int, std::size_t> refused;         // by HTTP status
  std::map<std::string, std::size_t> failed;  // connections and handshakes, by error
  std::map<int, std::size_t> lost;            // by close code; 1006 also where a stream of HTTP ended
  std::size_t stalled_lost = 0;
  std::size_t reset = 0;      // by themselves, as they were asked to
  std::uint64_t missing = 0;  // chunks whose numbers were left out
  std::uint64_t repeats = 0;  // or arrived after higher ones
  std::uint64_t skipped = 0;  // warnings in place of chunks
  std::uint64_t silence = 0;
  std::uint64_t malformed = 0;   // messages that cannot be parsed
  LatencyHistogram handshake;    // from the beginning of connect()
  LatencyHistogram first_audio;  // likewise, to its last byte
  std::int64_t last_open_ns = 0;

  // Counted during the measurement.
  bool measuring = false;
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;
  LatencyHistogram lateness;
  LatencyHistogram jitter;
  std::int64_t longest_pause_ns = 0;  // of a listener, between two readings

  std::size_t failures() const {
    std::size_t all = 0;
    for (const auto& [status, count] : refused) all += count;
    for (const auto& [what, count] : failed) all += count;
    return all;
  }
  std::size_t losses() const {
    std::size_t all = 0;
    for (const auto& [code, count] : lost) all += count;
    return all;
  }
  // Whether all `readers` connected and received every chunk.
  bool clean(std::size_t readers) const {
    return failures() + losses() + missing + repeats + skipped + malformed == 0 && heard >= readers;
  }
};

}  // namespace auralis
