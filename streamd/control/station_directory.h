// SPDX-License-Identifier: MIT
// An immutable copy of the station list, by which workers admit listeners and answer requests without asking
// the conductor, which replaces it by a newer one.
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
#include "streamd/api/query_fields.h"

namespace auralis {

struct StationDirectory {
  struct Entry {
    std::string name;
    StationId id;
    bool personal = false;
    bool encoded = false;  // in Opus; for a personal station: its encoder is reserved
  };
  std::vector<Entry> stations;               // in the order of the table
  std::optional<StationId> default_station;  // for listeners that name none
  std::size_t free_capacity = 0;             // for personal stations
  bool synthd_runs = false;
  std::optional<Timeline> timeline;                          // synthd's current one
  std::optional<std::string> not_ready_reason = "starting";  // nothing: ready

  const Entry* find(std::string_view name) const;
  const Entry* find(const StationId& id) const;
  // The station's name for the log: "personal" for a personal station, whose name grants access to it; empty
  // if there is no such station.
  std::string logged_name(const StationId& id) const;
  // Of the configured stations, as in a sentence: "default, night".
  std::string names() const;
};
bool operator==(const StationDirectory& a, const StationDirectory& b);

// The station that a listener wants to hear: an existing one (or, while none is known, the default one as
// soon as it comes), or a new personal one.
struct StationRequest {
  StationId id;
  std::optional<Permalink> link;        // opens a personal station
  std::string name;                     // empty if it is not known yet
  bool personal = false;                // a personal station, or one to be opened
  std::optional<std::int64_t> after{};  // the newest chunk that the listener has of it, before it reconnected
  std::int64_t lead_ms = 0;             // how much before they are due the listener wants its chunks

  // The station that a ticket must name.
  std::string_view ticket_station() const { return personal ? kNewStation : std::string_view(name); }
};

// A page's plain link that plays whatever the operator configured.
inline constexpr std::string_view kDefaultStation = "default";

// The refusal of a personal station in Opus while all encoders are taken.
inline constexpr std::string_view kNoEncoder =
    "No capacity to encode another personal station in Opus; use PCM (auralis.pcm.v1), or try again later.";

// Thrown if a station cannot be given to a listener.
struct StationRefusal {
  enum class Reason { kQuery, kUnknown, kNoSynthd } reason = Reason::kQuery;
  std::string sentence;

  int status() const;             // HTTP status
  std::string_view code() const;  // error code of the protocol
};

// The station that a query asks for. Throws StationRefusal, also if the query cannot be read.
StationRequest station_by_query(const StationDirectory& directory, const QueryFields& query);

// Finds a station by its name; kDefaultStation names the default one where no station has that name. Throws
// StationRefusal.
StationRequest station_by_name(const StationDirectory& directory, std::string_view name);

}  // namespace auralis
