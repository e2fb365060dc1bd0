// SPDX-License-Identifier: MIT
#include "metricsd/ring_depths.h"

#include <algorithm>
#include <optional>

#include "common/base/clock.h"

namespace auralis {
namespace {

double to_ms(std::int64_t ns) { return static_cast<double>(ns) / kNsPerMs; }

void show(OwnMetrics::RingMetrics& ring, std::optional<double> depth_ms, double ring_ms) {
  if (!depth_ms) {
    ring.depth_ms.clear();
    ring.utilization_percent.clear();
    return;
  }
  ring.depth_ms.set(*depth_ms);
  ring.utilization_percent.set(std::clamp(*depth_ms / ring_ms * 100, 0.0, 100.0));
}

}  // namespace

RingDepths::RingDepths(const std::filesystem::path& directory, OwnMetricsMemory& own)
    : reader_(directory), own_(own) {}

void RingDepths::update(std::int64_t now_ns) {
  reader_.refresh();
  OwnMetrics& metrics = own_.metrics();
  std::size_t configured = 0;
  std::optional<double> least_personal_ms;
  const double ring_ms =
      reader_.ready() ? to_ms(reader_.timeline().chunk_ns() * std::int64_t{reader_.slots()}) : 0;
  for (std::size_t row = 0; row < reader_.capacity(); ++row) {
    const StationId station{row, reader_.generation(row)};
    const auto newest = reader_.newest(station);
    const auto state = newest ? reader_.state(station) : std::nullopt;
    if (!state) continue;
    const double depth_ms = to_ms(reader_.timeline().depth_ns(*newest, now_ns));
    if (state->personal != 0) {
      least_personal_ms = std::min(least_personal_ms.value_or(depth_ms), depth_ms);
    } else if (configured < kStationLabels) {
      own_.set_late_label(configured, state->name);
      show(metrics.rings.at(configured++), depth_ms, ring_ms);
    }
  }
  for (; configured < kStationLabels; ++configured) {
    own_.set_late_label(configured, {});
    show(metrics.rings.at(configured), std::nullopt, ring_ms);
  }
  show(metrics.personal_ring, least_personal_ms, ring_ms);
}

}  // namespace auralis
