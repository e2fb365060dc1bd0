// SPDX-License-Identifier: MIT
// What a listener of a server receives over WebSocket, in order. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/message.h"
#include "tools/probe/options.h"
#include "tools/statistics.h"

namespace auralis {

// Of the server's clock, so that no arithmetic of times overflows: 1970 to about 3000, in microseconds.
inline constexpr std::int64_t kLatestUs = 32'000'000'000'000'000;
inline constexpr std::uint32_t kChannels = 2;

struct ReceivedChunk {
  ServerMessage head;  // of kind kAudio
  std::string audio;   // samples or packets, as on the wire
};

struct Reception {
  std::string station;  // as the server named it
  std::vector<ReceivedChunk> chunks;
  // Why it ended before all chunks came, or what was no valid message; empty: all came.
  std::string ended;
  std::optional<std::int64_t> first_audio_ns;  // from the beginning of connect()
  LatencyHistogram lateness;                   // of chunks that fell due after the listener joined
};

// Follows the messages of one connection until `seconds` of music that fell due after its beginning are
// there.
class Receiver {
 public:
  Receiver(WireFormat format, double seconds) : format_(format), seconds_(seconds) {}

  // Takes a message that arrived at `now_ns` (CLOCK_MONOTONIC), `since_start_ns` after the connection began.
  void take(std::uint8_t opcode, std::string_view payload, std::int64_t now_ns, std::int64_t since_start_ns);

  // True after the last chunk, or what ended the reception.
  bool done() const { return complete_ || !reception_.ended.empty(); }

  // Ends it, if it is not done.
  void end(const std::string& why);

  // The result; after done().
  Reception finish();

 private:
  void take_text(std::string_view payload);
  void take_audio(std::string_view payload, std::int64_t now_ns, std::int64_t since_start_ns);

  WireFormat format_;
  double seconds_;
  Reception reception_;
  LatenessWindow lateness_;
  std::int64_t joined_us_ = 0;  // by the server's clock
  double chunk_s_ = 0;
  std::optional<std::uint64_t> last_;  // chunk that completes it
  bool complete_ = false;
};

// Connects, receives, and closes. Throws ConnectionError if the server cannot be reached or refuses.
Reception receive(const ProbeOptions& options);

}  // namespace auralis
