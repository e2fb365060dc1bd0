// SPDX-License-Identifier: MIT
// How many stations this machine can encode in Opus.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/config/config.h"

namespace auralis {

// Threads of the encoding pool: streamd.encoding_threads; if that is 0, one fewer than cores, from 1 to 4.
std::size_t encoding_threads(const Config& config);

// Stations that `threads` threads encode in half of real time: the other half is a margin for shared cores.
// Measures it, by about 30 ms of CPU time on this thread. `bitrate` in bits a second.
std::size_t encodable_stations(std::size_t threads, std::uint32_t sample_rate, std::int64_t chunk_ms,
                               std::int32_t bitrate);

// Personal stations that may be encoded at a time: streamd.max_opus_stations; if that is 0, the measured
// capacity less the configured stations, for which encoders are always reserved. Logs the measurement.
std::size_t encoder_capacity(const Config& config);

}  // namespace auralis
