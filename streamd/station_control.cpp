// SPDX-License-Identifier: MIT
#include "streamd/station_control.h"

#include <algorithm>

namespace auralis {
namespace {

constexpr std::size_t kStation = 0;

bool is_for(const ControlRequest& request, const std::string& station) { return station == request.station; }

}  // namespace

StationControl::StationControl(const std::filesystem::path& streamd_directory, const AudioReader& reader,
                               std::int64_t now_ns)
    : writer_(streamd_directory, now_ns), reader_(reader) {}

std::optional<StationControl::Accepted> StationControl::change(const ParameterPatch& patch) {
  const auto base = target();
  if (!base) return std::nullopt;
  return request(patch.applied_to(*base));
}

std::optional<StationControl::Accepted> StationControl::choose(const Preset& preset) {
  return request(preset.parameters);
}

// What was last asked for: a request that synthd has not come to yet, else what synthd says.
std::optional<MusicParameters> StationControl::target() const {
  const auto state = reader_.state(kStation);
  if (!state) return std::nullopt;
  const auto pending = writer_.request(kStation);
  if (pending && pending->number > state->applied_request &&
      is_for(*pending, reader_.stations().front().name)) {
    return pending->parameters;
  }
  return state->target;
}

std::optional<StationControl::Accepted> StationControl::request(const MusicParameters& parameters) {
  const auto state = reader_.state(kStation);
  if (!state || !reader_.segment().writer_alive()) return std::nullopt;
  const auto before = writer_.request(kStation);
  ControlRequest request;
  // Above what either side has seen, so that it counts even if one of the segments was lost.
  request.number = std::max(before ? before->number : 0, state->applied_request) + 1;
  reader_.stations().front().name.copy(request.station, kStationNameBytes - 1);
  request.parameters = parameters;
  writer_.store(kStation, request);
  return Accepted{request.number, parameters};
}

std::optional<StationStatus> StationControl::status() const {
  const auto state = reader_.state(kStation);
  if (!state || state->bar_count == 0) return std::nullopt;
  const BarRecord& bar = state->bars[state->bar_count - 1];
  StationStatus status;
  status.station = reader_.stations().front().name;
  status.in_force = state->levels[state->level_count - 1].levels;
  status.in_force.key = bar.parameters.key;
  status.in_force.mode = bar.parameters.mode;
  status.in_force.bpm = bar.parameters.bpm;
  status.target = state->target;
  status.request = state->applied_request;
  status.bar = bar.index;
  return status;
}

}  // namespace auralis
