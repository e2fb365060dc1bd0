// SPDX-License-Identifier: MIT
// How much Opus this machine can encode.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/config/config.h"

namespace auralis {

// streamd.encoding_threads; if that is 0, one for each core but one, 4 at most.
std::size_t encoding_threads(const Config& config);

// Stations that so many threads encode in half of real time: the other half is a margin for cores that
// are shared. Measures: encodes for some 30 ms of processor time on this thread. `chunk_ms` as in the
// configuration, `bitrate` in bits a second.
std::size_t encodable_stations(std::size_t threads, std::uint32_t sample_rate, std::int64_t chunk_ms,
                               std::int32_t bitrate);

// Personal stations that may be encoded at a time: streamd.max_opus_stations; if that is 0, what is measured,
// less the configured stations, whose encoders are always reserved. Logs what it measured.
std::size_t encoder_places(const Config& config);

}  // namespace auralis
