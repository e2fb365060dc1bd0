// SPDX-License-Identifier: MIT
#include "streamd/delivery/subscriptions.h"

#include <algorithm>
#include <cassert>
#include <tuple>
#include <utility>

namespace auralis {
namespace {

// Fills every eighth phase first, so that a few listeners are far apart, too.
constexpr std::uint32_t kStride = 8;
static_assert(kPhases % kStride == 0);

std::uint32_t spread(std::uint32_t rank) {
  const std::uint32_t each = kPhases / kStride;
  return rank % each * kStride + rank / each;
}

}  // namespace

bool Subscriptions::Key::operator<(const Key& other) const {
  return std::tie(phase, worker, index, generation, lead) <
         std::tie(other.phase, other.worker, other.index, other.generation, other.lead);
}

void Subscriptions::add(ConnectionId id, std::size_t worker, WireFormat format, const StationId& station,
                        std::string actor, std::int64_t since_ns, std::int64_t lead) {
  assert(thread_.is_current());
  assert(find(id) == nullptr);
  std::uint32_t best = spread(0);
  for (std::uint32_t rank = 1; rank < kPhases; ++rank) {
    if (phase_counts_.at(spread(rank)) < phase_counts_.at(best)) best = spread(rank);
  }
  if (has_audio(format)) ++phase_counts_.at(best);
  listeners_[id] = {worker, station, format, best, false, std::move(actor), since_ns, lead};
  count(listeners_[id], +1);
}

void Subscriptions::remove(ConnectionId id) {
  assert(thread_.is_current());
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return;
  count(found->second, -1);
  if (has_audio(found->second.format)) {
    assert(phase_counts_.at(found->second.phase) > 0);
    --phase_counts_.at(found->second.phase);
  }
  listeners_.erase(found);
}

// Adds the listener to, or takes it from, the counts of its station and, once it is delivered to, of what its
// phase needs.
void Subscriptions::count(const Listener& listener, int change) {
  assert(thread_.is_current());
  const auto by = static_cast<std::size_t>(change);
  const auto station =
      station_counts_.try_emplace({listener.station.index, listener.station.generation}).first;
  station->second.all += by;
  if (is_opus(listener.format)) station->second.opus += by;
  if (!has_audio(listener.format)) station->second.messages += by;
  if (station->second.all == 0) station_counts_.erase(station);
  if (!listener.delivered_to || !has_audio(listener.format)) return;
  const Key key{listener.phase, listener.worker, listener.station.index, listener.station.generation,
                listener.lead};
  FormatCounts& formats = needs_[key];
  formats.at(static_cast<std::size_t>(listener.format)) += by;
  const bool none = std::all_of(formats.begin(), formats.end(), [](std::size_t one) { return one == 0; });
  if (none) needs_.erase(key);
}

template <typename Change>
void Subscriptions::change(Listener& listener, const Change& change) {
  const Listener before = listener;
  count(listener, -1);
  change(listener);
  count(listener, +1);
  moved_(before, listener);
}

void Subscriptions::begin(ConnectionId id) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return;
  change(found->second, [](Listener& listener) { listener.delivered_to = true; });
}

void Subscriptions::switch_station(ConnectionId id, const StationId& station) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return;
  change(found->second, [&](Listener& listener) { listener.station = station; });
}

void Subscriptions::set_format(ConnectionId id, WireFormat format) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return;
  assert(has_audio(found->second.format) == has_audio(format));
  change(found->second, [&](Listener& listener) { listener.format = format; });
}

void Subscriptions::move(const StationId& from, const StationId& to) {
  for (auto& [id, listener] : listeners_) {
    if (listener.station == from) change(listener, [&](Listener& one) { one.station = to; });
  }
}

const Subscriptions::Listener* Subscriptions::find(ConnectionId id) const {
  const auto found = listeners_.find(id);
  return found == listeners_.end() ? nullptr : &found->second;
}

std::size_t Subscriptions::connections_to(const StationId& station) const {
  const auto found = station_counts_.find({station.index, station.generation});
  return found == station_counts_.end() ? 0 : found->second.all;
}

std::size_t Subscriptions::listeners_of(const StationId& station) const {
  const auto found = station_counts_.find({station.index, station.generation});
  return found == station_counts_.end() ? 0 : found->second.all - found->second.messages;
}

std::size_t Subscriptions::opus_listeners_of(const StationId& station) const {
  const auto found = station_counts_.find({station.index, station.generation});
  return found == station_counts_.end() ? 0 : found->second.opus;
}

std::vector<StationId> Subscriptions::stations() const {
  std::vector<StationId> stations;
  stations.reserve(station_counts_.size());
  for (const auto& entry : station_counts_) stations.push_back({entry.first.first, entry.first.second});
  return stations;
}

std::uint32_t Subscriptions::next_busy_phase(std::uint32_t from) const {
  const auto found = needs_.lower_bound({from, 0, 0, 0, 0});
  return found == needs_.end() ? kPhases : found->first.phase;
}

std::vector<Subscriptions::Need> Subscriptions::needs_of(std::uint32_t phase) const {
  std::vector<Need> needs;
  for (auto entry = needs_.lower_bound({phase, 0, 0, 0, 0});
       entry != needs_.end() && entry->first.phase == phase; ++entry) {
    FormatSet formats;
    for (std::size_t i = 0; i < kWireFormats; ++i) formats[i] = entry->second.at(i) > 0;
    const Key& key = entry->first;
    needs.push_back({key.worker, {key.index, key.generation}, formats, key.lead});
  }
  return needs;
}

}  // namespace auralis
