// SPDX-License-Identifier: MIT
#include "metricsd/station_links.h"

#include <algorithm>

#include "common/music/permalink.h"

namespace auralis {
namespace {

// So that what happened at the moment is heard after some of the music.
constexpr std::int64_t kBeforeNs = 2 * kNsPerSecond;

}  // namespace

std::optional<std::string> StationLinks::link(std::string_view station, std::int64_t at_ns) {
  reader_.refresh();
  for (std::size_t row = 0; row < reader_.capacity(); ++row) {
    const auto state = reader_.state({row, reader_.generation(row)});
    if (!state || state->personal != 0 || (!station.empty() && station != state->name)) continue;
    const std::int64_t chunk = state->own_chunk(reader_.timeline().chunk_at(at_ns - kBeforeNs));
    return to_query(state->seed, state->history, reader_.timeline(), std::max<std::int64_t>(0, chunk));
  }
  return std::nullopt;
}

}  // namespace auralis
