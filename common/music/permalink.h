// SPDX-License-Identifier: MIT
// Music as a link: the query of a URL that describes what a station plays, from the beginning or from any
// later chunk.
//
//     station=new&seed=42&preset=sleep
//     station=new&seed=42&rate=44100&chunk=100&at=5123&changes=0-kD-mdorian-b60-i0.5-c0.4-v0.4-d0.5-gpmks_81-i0.3
//
// seed     what the music is derived from
// preset   what is in force from the beginning, in place of changes
// changes  the parameter history: changes joined by _, each its chunk and what it changes, joined by -:
//          k key (# written s), m mode, b bpm, i intensity, c melody_complexity, v chord_progression_variety,
//          d harmonic_density, g the groups that are on (p pads, m melody, k kicks, s swells). The first one
//          changes the preset focus.
// bar      first bar of the history and its first frame, joined by -; without: 0-0
// at       the station's chunk to begin with; without: 0
// rate, chunk  frames a second and length of a chunk in ms, which at, bar and changes count in
//
// Consists of letters, digits, - _ and . only, so that no browser or chat program escapes it. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/music/parameter_history.h"

namespace auralis {

// A rejected query: one sentence that names the part and what it must be, plain ASCII whatever bytes the
// query has.
struct QueryError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The fields of a URL's query, each name once, percent-encoding (%41) decoded, without empty fields and
// tracking parameters (utm_source, fbclid and the like). Throws QueryError.
std::map<std::string, std::string> query_fields(std::string_view query);

struct Permalink {
  std::optional<std::uint64_t> seed;
  ParameterHistory history = begun_with(kPresets.front().parameters);
  std::int64_t chunk = 0;                    // own chunk to begin with
  std::optional<std::uint32_t> sample_rate;  // given where something counts in chunks
  std::optional<std::uint32_t> chunk_ms;     // likewise
};

// The query, without its question mark.
std::string to_query(std::uint64_t seed, const ParameterHistory& history, const Timeline& timeline,
                     std::int64_t chunk);

// As to_query(), of the same music from `chunk` on, in fewer characters: tells neither the changes before
// that are no longer audible, nor what the preset focus has in common with the first one that remains.
std::string to_short_query(std::uint64_t seed, const ParameterHistory& history, const Timeline& timeline,
                           std::int64_t chunk);

// Parses the fields of a query, ignoring `station`. Throws QueryError.
Permalink permalink_of(const std::map<std::string, std::string>& fields);

}  // namespace auralis
