// SPDX-License-Identifier: MIT
// What a worker takes for listeners of personal stations: a place for the station, and an encoder.
#include <utility>

#include "streamd/control/conductor.h"
#include "streamd/control/worker.h"

namespace auralis {

std::variant<SharedPermit, Worker::NoPlace> Worker::reserve_place(const IpAddress& client) {
  SharedPermit permit = context_.personal.acquire_shared(client);
  if (!permit) {
    return NoPlace{429,
                   "As many personal stations as there may be at an address are there already "
                   "(max_personal_stations_per_address); try again later"};
  }
  if (context_.coming_personal.fetch_add(1, std::memory_order_relaxed) < directory_->free_places)
    return permit;
  context_.coming_personal.fetch_sub(1, std::memory_order_relaxed);
  return NoPlace{503, "All places for personal stations are taken; try again later"};
}

std::optional<SharedPermit> Worker::reserve_encoder(const IpAddress& client, WireFormat format,
                                                    const StationId& station, bool own) {
  if (!is_opus(format)) return SharedPermit();
  // A station that is not in the list is on its way: the conductor knows more of it.
  const auto* const entry = directory_->find(station);
  const bool usual = station == StationId{};
  if (!own && (usual || (entry != nullptr && (!entry->personal || entry->encoded)))) return SharedPermit();
  SharedPermit permit = context_.encoders.acquire_shared(client);
  return permit ? std::optional(std::move(permit)) : std::nullopt;
}

// Of the station that it hears; if it still waits for one the conductor knows more, and decides.
std::optional<SharedPermit> Worker::reserve_encoder(const IpAddress& client, WireFormat format,
                                                    ConnectionId id) {
  const StationId station = queues_.station_of(id);
  const bool waits = station == StationId{};
  auto encoder = reserve_encoder(client, format, station, waits);
  return waits ? encoder.value_or(SharedPermit()) : encoder;
}

// A listener that cannot have Opus stays with PCM.
void Worker::step_down(ConnectionId id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const auto encoder = reserve_encoder(found->second.client, WireFormat::kOpus, id);
  if (!encoder) return;
  conductor_.post([this, id, encoder = *encoder] {
    conductor_.set_format(id, {WireFormat::kOpus, true, encoder}, [] {});
  });
}

}  // namespace auralis
