// SPDX-License-Identifier: MIT
// Parses the head of a server's message (docs/protocol.md), as far as a listener counts it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace auralis {

struct ServerMessage {
  enum class Kind {
    kAudio,
    kSkipped,   // the warning instead of a chunk
    kUnderrun,  // the warning of a chunk that is silence
    kStatus,    // of the listener's queue: buffer_status
    kOther,
    kMalformed
  };

  Kind kind = Kind::kMalformed;
  std::uint64_t seq = 0;      // of audio and warnings
  std::uint64_t dropped = 0;  // of kStatus: chunks that the server says this listener did not get
  std::int64_t chunk_ns = 0;  // of kAudio: how long it plays

  // Of binary audio, as its header says; kHeaderBytes of streamd/encode/frame.h precede its samples or
  // packets.
  bool silence = false;
  bool opus = false;    // else PCM
  bool begins = false;  // the decoder resets
  std::int64_t due_us = 0;
  std::uint32_t sample_rate = 0;
  std::uint32_t frames = 0;
};

// `head`: the beginning of the message, of at least kHeaderBytes or FrameReader::kHeadBytes.
ServerMessage read_binary_message(std::string_view head);
ServerMessage read_text_message(std::string_view head);

}  // namespace auralis
