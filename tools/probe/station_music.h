// SPDX-License-Identifier: MIT
// What a server says of a station's music, and the same music rendered here, on the native engine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/music/parameter_history.h"
#include "common/music/timeline.h"
#include "tools/stream_url.h"

namespace auralis {

struct StationFacts {
  std::uint64_t seed = 0;
  ParameterHistory history;
  Timeline timeline;            // its rate and chunk length; the epoch has no meaning
  std::int64_t live_chunk = 0;  // of the station's own, that is due at server_time_us
  std::int64_t server_time_us = 0;
};

// Parses the body of /api/status, of one station. Throws ConnectionError: no server of this kind. Pure.
StationFacts parse_station_facts(std::string_view body);

// Asks the server at `url`, a WebSocket's, for the station's facts. Throws ConnectionError.
StationFacts fetch_station_facts(const StreamUrl& url, const std::string& station);

// The station's own number of the chunk that is due at `due_us`. Pure.
std::int64_t own_chunk(const StationFacts& facts, std::int64_t due_us);

// Whether the server's two readings of its clock, for live_chunk and for server_time_us, may have been on
// both sides of the beginning of a chunk, so that the number may be one too small or too great. Pure.
bool is_ambiguous(const StationFacts& facts, std::int64_t due_us);

// Samples of the station's own chunks from `first` on, interleaved. Throws EngineError.
std::vector<std::int16_t> render_chunks(const StationFacts& facts, std::int64_t first, std::size_t count);

}  // namespace auralis
