// SPDX-License-Identifier: MIT
#include "metricsd/station_rings.h"

#include <string>
#include <string_view>

namespace auralis {

StationRings::StationRings(const std::filesystem::path& directory, OwnMetricsMemory& own)
    : reader_(directory), labels_(own) {}

void StationRings::refresh() {
  const bool another_segment = reader_.refresh();
  if (!another_segment && table_version_ == reader_.table_version()) return;
  table_version_ = reader_.table_version();
  stations_.clear();
  ++version_;
  if (reader_.ready()) read_table();
}

void StationRings::read_table() {
  std::vector<std::string> names;  // of the configured ones
  bool complete = true;
  for (std::size_t row = 0; row < reader_.capacity(); ++row) {
    const StationId id{row, reader_.generation(row)};
    const bool open = id.generation % 2 == 1;
    const auto state = reader_.state(id);
    if (open && !state) complete = false;
    if (!state) continue;
    stations_.push_back({id, state->personal != 0});
    if (state->personal == 0) names.emplace_back(state->name);
  }
  // A row that synthd is changing may be any station: until it can be read, no label is taken away.
  if (complete) {
    labels_.keep({names.begin(), names.end()});
  } else {
    table_version_.reset();
  }
  auto name = names.cbegin();
  for (StationRing& station : stations_) {
    if (!station.personal) station.label = labels_.label_of(*name++);
  }
}

}  // namespace auralis
