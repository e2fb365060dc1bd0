// SPDX-License-Identifier: MIT
#include "streamd/control/station_directory.h"

#include <algorithm>

#include "common/metrics/station_labels.h"
#include "common/music/parameter_history.h"

namespace auralis {
namespace {

Permalink checked(const StationDirectory& directory, Permalink link) {
  if (changes_after(link.history, link.chunk) >= ShortHistory{}.changes.size()) {
    throw QueryError("Too many changes of the music after the link's position: at most " +
                     std::to_string(ShortHistory{}.changes.size() - 1) +
                     " can be played here; use auralis-render.");
  }
  if (!link.sample_rate || !directory.timeline) return link;
  const Timeline& timeline = *directory.timeline;
  const std::int64_t chunk_ms = timeline.chunk_ns() / kNsPerMs;
  if (*link.sample_rate == timeline.sample_rate && *link.chunk_ms == chunk_ms) return link;
  throw QueryError("The link needs rate " + std::to_string(*link.sample_rate) + " and chunk " +
                   std::to_string(*link.chunk_ms) + "; this server has " +
                   std::to_string(timeline.sample_rate) + " and " + std::to_string(chunk_ms) +
                   ". Use auralis-render.");
}

StationRequest own_station(const StationDirectory& directory, const Permalink& link) {
  if (!directory.synthd_runs) {
    throw StationRefusal{StationRefusal::Reason::kNoSynthd,
                         "No station can be started: synthd is not running. Try again later."};
  }
  return {{}, checked(directory, link), {}, true};
}

}  // namespace

const StationDirectory::Entry* StationDirectory::find(std::string_view name) const {
  const auto found =
      std::find_if(stations.begin(), stations.end(), [&](const Entry& entry) { return entry.name == name; });
  return found == stations.end() ? nullptr : &*found;
}

const StationDirectory::Entry* StationDirectory::find(const StationId& id) const {
  const auto found =
      std::find_if(stations.begin(), stations.end(), [&](const Entry& entry) { return entry.id == id; });
  return found == stations.end() ? nullptr : &*found;
}

std::string StationDirectory::logged_name(const StationId& id) const {
  const Entry* const entry = find(id);
  if (entry == nullptr) return {};
  return entry->personal ? std::string(kPersonalLabel) : entry->name;
}

std::string StationDirectory::names() const {
  std::string names;
  for (const Entry& entry : stations) {
    if (!entry.personal) names.append(names.empty() ? "" : ", ").append(entry.name);
  }
  return names;
}

bool operator==(const StationDirectory& a, const StationDirectory& b) {
  const auto same = [](const StationDirectory::Entry& x, const StationDirectory::Entry& y) {
    return x.name == y.name && x.id == y.id && x.personal == y.personal && x.encoded == y.encoded;
  };
  return std::equal(a.stations.begin(), a.stations.end(), b.stations.begin(), b.stations.end(), same) &&
         a.default_station == b.default_station && a.free_capacity == b.free_capacity &&
         a.synthd_runs == b.synthd_runs && a.timeline == b.timeline &&
         a.not_ready_reason == b.not_ready_reason;
}

int StationRefusal::status() const {
  return reason == Reason::kUnknown ? 404 : reason == Reason::kNoSynthd ? 503 : 400;
}
std::string_view StationRefusal::code() const {
  return reason == Reason::kUnknown    ? "unknown_station"
         : reason == Reason::kNoSynthd ? "unavailable"
                                       : "bad_query";
}

StationRequest station_by_name(const StationDirectory& directory, std::string_view name) {
  const auto* entry = directory.find(name);
  if (entry == nullptr && name == kDefaultStation && directory.default_station)
    entry = directory.find(*directory.default_station);
  if (entry != nullptr) return {entry->id, std::nullopt, entry->name, entry->personal};
  const std::string names = directory.names();
  if (names.empty())
    throw StationRefusal{StationRefusal::Reason::kNoSynthd,
                         "No station yet: synthd is not running. Try again later."};
  throw StationRefusal{StationRefusal::Reason::kUnknown, "No such station; choose one of: " + names + "."};
}

namespace {

StationRequest station_by_fields(const StationDirectory& directory, const QueryFields::Fields& fields) {
  const auto name = fields.find("station");
  if (name == fields.end()) {
    const StationId id = directory.default_station.value_or(StationId{});
    const auto* entry = directory.find(id);
    return {id, std::nullopt, entry != nullptr ? entry->name : "", false};
  }
  if (name->second == kNewStation) return own_station(directory, permalink_of(fields));
  return station_by_name(directory, name->second);
}

}  // namespace

StationRequest station_by_query(const StationDirectory& directory, const QueryFields& query) {
  try {
    QueryFields::Fields fields = query.fields();
    for (const char* other : {"ticket", "after", "lead_ms"}) fields.erase(other);  // describe no station
    StationRequest want = station_by_fields(directory, fields);
    want.after = query.after();
    want.lead_ms = query.lead_ms();
    return want;
  } catch (const QueryError& error) {
    throw StationRefusal{StationRefusal::Reason::kQuery, error.what()};
  }
}

}  // namespace auralis
