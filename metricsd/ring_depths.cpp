// SPDX-License-Identifier: MIT
#include "metricsd/ring_depths.h"

#include <algorithm>
#include <array>
#include <string_view>

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
    : reader_(directory), own_(own), labels_(own) {}

void RingDepths::update(std::int64_t now_ns) {
  reader_.refresh();
  std::vector<ConfiguredDepth> configured;
  std::optional<double> least_personal_ms;
  for (std::size_t row = 0; row < reader_.capacity(); ++row) {
    const StationId station{row, reader_.generation(row)};
    const auto state = reader_.state(station);
    if (!state) continue;
    const auto newest = reader_.newest(station);
    std::optional<double> depth_ms;
    if (newest) depth_ms = to_ms(reader_.timeline().depth_ns(*newest, now_ns));
    if (state->personal == 0) {
      configured.push_back({state->name, depth_ms});
    } else if (depth_ms) {
      least_personal_ms = std::min(least_personal_ms.value_or(*depth_ms), *depth_ms);
    }
  }
  show_configured(configured);
  show(own_.metrics().personal_ring, least_personal_ms, ring_ms());
}

double RingDepths::ring_ms() const {
  return reader_.ready() ? to_ms(reader_.timeline().chunk_ns() * std::int64_t{reader_.slots()}) : 0;
}

void RingDepths::show_configured(const std::vector<ConfiguredDepth>& stations) {
  if (reader_.ready()) {
    std::vector<std::string_view> names;
    for (const auto& station : stations) names.emplace_back(station.name);
    labels_.keep(names);
  }
  std::array<std::optional<double>, kStationLabels> depths_ms;
  for (const auto& station : stations) {
    if (const auto label = labels_.label_of(station.name)) depths_ms.at(*label) = station.depth_ms;
  }
  for (std::size_t label = 0; label < kStationLabels; ++label)
    show(own_.metrics().rings.at(label), depths_ms.at(label), ring_ms());
}

}  // namespace auralis
