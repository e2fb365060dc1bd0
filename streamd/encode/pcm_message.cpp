// SPDX-License-Identifier: MIT
#include "streamd/encode/pcm_message.h"

#include <cassert>
#include <cstdint>
#include <cstring>
#include <string>

namespace auralis {

PcmMessage::PcmMessage(std::size_t samples)
    : message_(reserve_binary_message(kHeaderBytes + samples * sizeof(std::int16_t))), count_(samples) {}

// Readers go by bytes (load_words()), and so does Samples: no object of another type is accessed here.
std::int16_t* PcmMessage::data() {
  assert(message_.use_count() == 1);
  auto* const samples = payload() + kHeaderBytes;
  assert(reinterpret_cast<std::uintptr_t>(samples) % alignof(std::int16_t) == 0);
  return reinterpret_cast<std::int16_t*>(samples);
}

Samples PcmMessage::samples() const {
  const char* const begin = message_->bytes.data() + message_->payload_begin + kHeaderBytes;
  return {std::shared_ptr<const char>(message_, begin), count_};
}

// Encoders on other threads may be reading the samples meanwhile: only the header is written.
WireMessagePtr PcmMessage::finish(const AudioChunk& chunk) {
  assert(chunk.samples.size() == count_);
  const std::string header = pcm_header(chunk);
  assert(header.size() == kHeaderBytes);
  std::memcpy(payload(), header.data(), header.size());
  return message_;
}

}  // namespace auralis
