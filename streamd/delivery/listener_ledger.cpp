// SPDX-License-Identifier: MIT
#include "streamd/delivery/listener_ledger.h"

#include <algorithm>
#include <cassert>

namespace auralis {

ListenerLedger::ListenerLedger(const Clock& clock, StreamMetrics& metrics)
    : clock_(clock), metrics_(metrics), counted_ns_(clock.now_ns()) {
  settle_former_listeners();
}

// How long each of them was connected is not known, but all together: the time that was counted of all
// listeners, less that of those that left.
void ListenerLedger::settle_former_listeners() {
  const auto update = metrics_.atomic_update();
  const double lost = metrics_.connections.value() - metrics_.disconnected();
  if (lost > 0) {
    const double seconds = metrics_.listener_seconds() - metrics_.connection_seconds.sum();
    metrics_.connection_seconds.observe(std::max(0.0, seconds) / lost, static_cast<std::int64_t>(lost));
    metrics_.disconnected(DisconnectReason::kCrash).add(lost);
  }
  metrics_.active_connections.set(0);
  metrics_.listeners_peak.set(0);
  metrics_.message_connections.set(0);
}

void ListenerLedger::set_group(const StationId& station, std::size_t group) {
  assert(thread_.is_current());
  const auto update = metrics_.atomic_update();
  count_time();
  regroup(stations_[{station.index, station.generation}], group);
}

void ListenerLedger::remove_station(const StationId& station) {
  assert(thread_.is_current());
  const auto found = stations_.find({station.index, station.generation});
  if (found == stations_.end()) return;
  const auto update = metrics_.atomic_update();
  count_time();
  regroup(found->second, kNoGroup);
  if (found->second.listeners == FormatCounts{}) stations_.erase(found);
}

void ListenerLedger::release_group(std::size_t group) {
  assert(thread_.is_current());
  assert(group != kNoGroup);
  const auto update = metrics_.atomic_update();
  count_time();
  for (auto& entry : stations_) {
    if (entry.second.group == group) regroup(entry.second, kNoGroup);
  }
  for (std::size_t format = 0; format < kWireFormats; ++format) {
    if (!has_audio(static_cast<WireFormat>(format))) continue;
    Counter& seconds = metrics_.listeners.at(group).seconds.at(format);
    metrics_.listeners.at(kNoGroup).seconds.at(format).add(seconds.value());
    seconds.add(-seconds.value());
  }
}

void ListenerLedger::regroup(Station& station, std::size_t group) {
  for (std::size_t format = 0; format < kWireFormats; ++format) {
    if (!has_audio(static_cast<WireFormat>(format))) continue;
    groups_.at(station.group).at(format) -= station.listeners.at(format);
    groups_.at(group).at(format) += station.listeners.at(format);
    show(station.group, format);
    show(group, format);
  }
  station.group = group;
}

void ListenerLedger::show(std::size_t group, std::size_t format) {
  Gauge& connected = metrics_.listeners.at(group).connected.at(format);
  const std::size_t count = groups_.at(group).at(format);
  if (count > 0) {
    connected.set(static_cast<double>(count));
  } else {
    connected.clear();
  }
}

void ListenerLedger::count(const Place& place, int change) {
  const auto found = stations_.try_emplace({place.station.index, place.station.generation}).first;
  Station& station = found->second;
  const auto format = static_cast<std::size_t>(place.format);
  const std::size_t group = station.group;
  assert(change > 0 || station.listeners.at(format) > 0);
  station.listeners.at(format) += static_cast<std::size_t>(change);
  groups_.at(group).at(format) += static_cast<std::size_t>(change);
  show(group, format);
  if (group == kNoGroup && station.listeners == FormatCounts{}) stations_.erase(found);
}

void ListenerLedger::count_messages(int change) {
  message_connections_ += static_cast<std::size_t>(change);
  metrics_.message_connections.set(static_cast<double>(message_connections_));
}

void ListenerLedger::add(const Place& place) {
  assert(thread_.is_current());
  if (!has_audio(place.format)) return count_messages(+1);
  const auto update = metrics_.atomic_update();
  count_time();
  count(place, +1);
  peak_ = std::max(peak_, ++connected_);
  metrics_.connections.add();
  metrics_.active_connections.set(static_cast<double>(connected_));
  metrics_.listeners_peak.set(static_cast<double>(peak_));
}

void ListenerLedger::move(const Place& from, const Place& to) {
  assert(thread_.is_current());
  assert(has_audio(from.format) == has_audio(to.format));
  if (!has_audio(to.format) || (from.station == to.station && from.format == to.format)) return;
  const auto update = metrics_.atomic_update();
  count_time();
  count(to, +1);
  count(from, -1);
}

void ListenerLedger::remove(const Place& place, DisconnectReason reason, std::int64_t since_ns) {
  assert(thread_.is_current());
  if (!has_audio(place.format)) return count_messages(-1);
  assert(connected_ > 0);
  const auto update = metrics_.atomic_update();
  count_time();
  count(place, -1);
  metrics_.disconnected(reason).add();
  metrics_.active_connections.set(static_cast<double>(--connected_));
  metrics_.connection_seconds.observe(static_cast<double>(clock_.now_ns() - since_ns) / kNsPerSecond);
}

void ListenerLedger::count_seconds() {
  assert(thread_.is_current());
  const auto update = metrics_.atomic_update();
  count_time();
}

void ListenerLedger::count_time() {
  const std::int64_t now_ns = clock_.now_ns();
  const double seconds = static_cast<double>(now_ns - counted_ns_) / kNsPerSecond;
  counted_ns_ = now_ns;
  for (std::size_t group = 0; group < kListenerGroups; ++group) {
    for (std::size_t format = 0; format < kWireFormats; ++format) {
      const std::size_t listeners = groups_.at(group).at(format);
      if (listeners == 0) continue;
      metrics_.listeners.at(group).seconds.at(format).add(static_cast<double>(listeners) * seconds);
    }
  }
}

}  // namespace auralis
