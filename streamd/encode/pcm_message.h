// SPDX-License-Identifier: MIT
// A chunk's message in PCM over WebSocket, into which its samples are read straight from the ring: they are
// copied once on their way to the wire. The chunk's other formats are encoded from the same bytes.
//
//     bytes: [ WebSocket frame header | header of the chunk, kHeaderBytes | samples ]
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "streamd/encode/frame.h"
#include "streamd/encode/samples.h"
#include "streamd/encode/wire_message.h"

namespace auralis {

// One thread; samples() may be read by any.
class PcmMessage {
 public:
  // `samples` zeros, behind room for the headers.
  explicit PcmMessage(std::size_t samples);

  // Where the samples are to be read to, before the first call of samples().
  std::int16_t* data();
  // The samples, shared. They are not changed from now on.
  Samples samples() const;
  // The whole message. Writes the header of the chunk, whose samples are these; called once.
  WireMessagePtr finish(const AudioChunk& chunk);

 private:
  char* payload() { return message_->bytes.data() + message_->payload_begin; }

  std::shared_ptr<WireMessage> message_;
  std::size_t count_;
};

}  // namespace auralis
