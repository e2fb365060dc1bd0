// SPDX-License-Identifier: MIT
// What the workers know of the stations, so that they can let listeners in and answer without asking the
// conductor: a copy that never changes, which the conductor replaces by a newer one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/access/ticket.h"
#include "common/music/permalink.h"
#include "common/music/timeline.h"
#include "common/segments/audio_segment.h"

namespace auralis {

struct StationDirectory {
  struct Entry {
    std::string name;
    StationId place;
    bool personal = false;
    bool encoded = false;  // in Opus: its encoder is reserved
  };
  std::vector<Entry> stations;     // in the order of the table
  std::optional<StationId> usual;  // what a listener hears who names none
  std::size_t free_places = 0;     // for stations of listeners' own
  bool synthd_there = false;
  std::optional<Timeline> timeline;  // that synthd has now
  std::optional<std::string> not_ready_reason;

  const Entry* find(std::string_view name) const;
  const Entry* find(const StationId& place) const;
  // Of the configured ones, as in a sentence: "default, night".
  std::string names() const;
};
bool operator==(const StationDirectory& a, const StationDirectory& b);

// What a listener asks for: a station that is there (or, while none is known, whichever comes first), or one
// of its own.
struct StationRequest {
  StationId place;
  std::optional<Permalink> link;
  std::string name;       // empty where it is not known yet
  bool personal = false;  // somebody's own, or to be this listener's

  // What a ticket for it names.
  std::string_view ticket_station() const { return personal ? kNewStation : std::string_view(name); }
};

// What a listener is told that wants a personal station in Opus while all encoders are taken.
inline constexpr std::string_view kNoEncoder =
    "No more personal stations can be encoded in Opus now; ask for PCM (auralis.pcm.v1), or try again later.";

// Why a listener does not get what it asks for.
struct StationRefusal {
  enum class Reason { kQuery, kUnknown, kNoSynthd } reason = Reason::kQuery;
  std::string sentence;

  int status() const;             // of HTTP
  std::string_view code() const;  // of an error message
};

// Throws StationRefusal. `query` is as after the question mark of a URL.
StationRequest wanted_station(const StationDirectory& directory, std::string_view query);

// Of one that is named; throws StationRefusal, too.
StationRequest named_station(const StationDirectory& directory, std::string_view name);

// The ticket of a query; empty where it has none.
std::string ticket_of(std::string_view query);

}  // namespace auralis
