// SPDX-License-Identifier: MIT
#include "metricsd/ring_meters.h"

#include <algorithm>
#include <utility>

#include "common/base/clock.h"

namespace auralis {

RingMeters::RingMeters(const std::filesystem::path& directory, OwnMetricsMemory& own)
    : reader_(directory), own_(own), labels_(own) {}

void RingMeters::measure(std::int64_t now_ns) {
  if (reader_.refresh()) table_version_.reset();
  const bool measurable =
      reader_.ready() && reader_.timeline().channels == AudioMeter::kChannels &&
      AudioMeter::can_measure(reader_.timeline().sample_rate, reader_.timeline().chunk_frames);
  if (!measurable) {
    clear_levels();
    stations_.clear();
    table_version_.reset();
    return;
  }
  if (table_version_ != reader_.table_version()) find_stations();
  for (auto& entry : stations_) measure(entry.second, now_ns);
}

// Keeps the meters of stations that are still there, also of a synthd that took its segment over.
void RingMeters::find_stations() {
  clear_levels();
  if (timeline_ != reader_.timeline()) stations_.clear();
  timeline_ = reader_.timeline();
  table_version_ = reader_.table_version();
  chunk_.resize(timeline_.chunk_samples());
  std::map<std::size_t, Station> found;
  for (std::size_t row = 0; row < reader_.capacity(); ++row) {
    const StationId id{row, reader_.generation(row)};
    const auto state = reader_.state(id);
    if (!state || state->personal != 0) continue;
    const auto label = labels_.label_of(state->name);
    // All labels are taken: RingDepths frees that of a station which has ended, a moment later.
    if (!label) {
      table_version_.reset();
      continue;
    }
    const auto before = stations_.find(row);
    const bool known = before != stations_.end() && before->second.id == id && before->second.label == *label;
    found.emplace(row, known ? std::move(before->second) : Station{id, *label});
  }
  stations_ = std::move(found);
}

void RingMeters::clear_levels() {
  for (const auto& entry : stations_) metrics_of(entry.second).clear_level();
}

void RingMeters::measure(Station& station, std::int64_t now_ns) {
  const auto newest = reader_.newest(station.id);
  if (!newest || reader_.timeline().depth_ns(*newest, now_ns) <= 0) {
    station.next = -1;
    station.meter.reset();
    return metrics_of(station).clear_level();
  }
  const std::int64_t first = first_to_measure(station, *newest, now_ns);
  if (first != station.next) station.meter.reset();
  for (std::int64_t chunk = first; chunk <= *newest; ++chunk) measure_chunk(station, chunk);
  station.next = *newest + 1;
  if (station.meter) {
    metrics_of(station).show_level(station.meter->peak(), station.meter->loudness_lufs());
  } else {
    metrics_of(station).clear_level();
  }
}

// The live chunk, unless what follows the last measured one is still there.
std::int64_t RingMeters::first_to_measure(const Station& station, std::int64_t newest,
                                          std::int64_t now_ns) const {
  const Timeline& timeline = reader_.timeline();
  const std::int64_t most = std::min<std::int64_t>(reader_.slots(), kMostNs / timeline.chunk_ns());
  const std::int64_t live = std::max<std::int64_t>({0, timeline.chunk_at(now_ns), newest + 1 - most});
  const bool continues = station.next >= 0 && station.next <= newest + 1 && newest - station.next < most;
  return continues ? station.next : live;
}

void RingMeters::measure_chunk(Station& station, std::int64_t chunk) {
  const Timeline& timeline = reader_.timeline();
  if (reader_.read(station.id, chunk, chunk_.data()) != RingRead::kChunk) {
    // Lapped, or synthd was too late and skipped it: what follows is no continuation.
    station.meter.reset();
    return;
  }
  if (!station.meter) station.meter.emplace(timeline.sample_rate, timeline.chunk_frames);
  const ChunkFindings findings = station.meter->add(chunk_.data());
  SilenceCause cause = SilenceCause::kZero;
  if (findings.silent) {
    const auto state = reader_.state(station.id);
    if (state && state->muted(chunk)) cause = SilenceCause::kMuted;
  }
  metrics_of(station).count(findings, cause,
                            static_cast<double>(timeline.chunk_ns()) / static_cast<double>(kNsPerSecond));
}

}  // namespace auralis
