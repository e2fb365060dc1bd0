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
  const auto state = configured(station);
  if (!state) return std::nullopt;
  return to_query(state->seed, state->history, reader_.timeline(), first_chunk(*state, at_ns));
}

std::optional<StationLinks::Moment> StationLinks::moment(std::string_view station, std::int64_t at_ns) {
  reader_.refresh();
  if (!reader_.ready()) return std::nullopt;
  Moment moment{reader_.timeline().chunk_at(at_ns), {}};
  if (const auto state = configured(station))
    moment.link = to_short_query(state->seed, state->history, reader_.timeline(), first_chunk(*state, at_ns));
  return moment;
}

// An empty name: the first one.
std::optional<StationState> StationLinks::configured(std::string_view station) const {
  for (std::size_t row = 0; row < reader_.capacity(); ++row) {
    auto state = reader_.state({row, reader_.generation(row)});
    if (state && state->personal == 0 && (station.empty() || station == state->name)) return state;
  }
  return std::nullopt;
}

// The station's own chunk that its link begins with.
std::int64_t StationLinks::first_chunk(const StationState& state, std::int64_t at_ns) const {
  return std::max<std::int64_t>(0, state.own_chunk(reader_.timeline().chunk_at(at_ns - kBeforeNs)));
}

}  // namespace auralis
