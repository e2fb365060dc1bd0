// SPDX-License-Identifier: MIT
#include "metricsd/ring_depths.h"

#include <algorithm>
#include <array>

#include "common/base/clock.h"

namespace auralis {
namespace {

double to_ms(std::int64_t ns) { return static_cast<double>(ns) / kNsPerMs; }

}  // namespace

RingDepths::RingDepths(StationRings& rings, OwnMetricsMemory& own) : rings_(rings), own_(own) {}

void RingDepths::update(std::int64_t now_ns) {
  rings_.refresh();
  std::array<std::optional<double>, kStationLabels> configured_ms;
  std::optional<double> least_personal_ms;
  for (const StationRing& station : rings_.stations()) {
    const std::optional<double> depth = depth_ms(station, now_ns);
    if (station.label) {
      configured_ms.at(*station.label) = depth;
    } else if (station.personal && depth) {
      least_personal_ms = std::min(least_personal_ms.value_or(*depth), *depth);
    }
  }
  for (std::size_t label = 0; label < kStationLabels; ++label)
    show(own_.metrics().rings.at(label), configured_ms.at(label));
  show(own_.metrics().personal_ring, least_personal_ms);
}

std::optional<double> RingDepths::depth_ms(const StationRing& station, std::int64_t now_ns) const {
  const auto newest = rings_.reader().newest(station.id);
  if (!newest) return std::nullopt;
  return to_ms(rings_.reader().timeline().depth_ns(*newest, now_ns));
}

void RingDepths::show(OwnMetrics::RingMetrics& ring, std::optional<double> depth_ms) const {
  ring.depth_ms.set(depth_ms);
  if (!depth_ms) return ring.utilization_percent.clear();
  const AudioReader& reader = rings_.reader();
  const double ring_ms = to_ms(reader.timeline().chunk_ns() * std::int64_t{reader.slots()});
  ring.utilization_percent.set(std::clamp(*depth_ms / ring_ms * 100, 0.0, 100.0));
}

}  // namespace auralis
