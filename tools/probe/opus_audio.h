// SPDX-License-Identifier: MIT
// Audio that was received in Opus, and what it is compared with. The only user of libopus' decoder.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/music/timeline.h"
#include "tools/probe/reception.h"

namespace auralis {

// Decodes the packets of the first `count` chunks, as stereo at 48 kHz, interleaved. Nothing if a message or
// a packet is malformed.
std::optional<std::vector<float>> decode_opus(const std::vector<ReceivedChunk>& chunks, std::size_t count);

// When the chunk of an Opus message is due: later than the first frame of its packets, by the delay of the
// codec and by what the encoder had kept of the chunk before.
std::int64_t opus_chunk_due_us(const Timeline& timeline, const ServerMessage& head);

// What an ideal codec would have made of `samples`, the station's music, one chunk before the first received
// one and all of those: where the decoder's output begins, as far as it is long. Empty at the beginning of
// what is missing.
std::vector<float> ideal_opus(const Timeline& timeline, const std::vector<std::int16_t>& samples,
                              const ServerMessage& first);

}  // namespace auralis
