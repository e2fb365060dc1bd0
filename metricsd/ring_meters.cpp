// SPDX-License-Identifier: MIT
#include "metricsd/ring_meters.h"

#include <algorithm>
#include <utility>

#include "common/base/clock.h"

namespace auralis {

RingMeters::RingMeters(StationRings& rings, OwnMetricsMemory& own) : rings_(rings), own_(own) {}

void RingMeters::measure(std::int64_t now_ns) {
  rings_.refresh();
  if (version_ != rings_.version()) find_stations();
  for (auto& entry : stations_) measure(entry.second, now_ns);
}

// Keeps the meters of stations that are still there, also of a synthd that took its segment over.
void RingMeters::find_stations() {
  clear_levels();
  version_ = rings_.version();
  const AudioReader& reader = rings_.reader();
  const bool measurable =
      reader.ready() && reader.timeline().channels == AudioMeter::kChannels &&
      AudioMeter::can_measure(reader.timeline().sample_rate, reader.timeline().chunk_frames);
  if (!measurable) return stations_.clear();
  if (timeline_ != reader.timeline()) stations_.clear();
  timeline_ = reader.timeline();
  chunk_.resize(timeline_.chunk_samples());
  std::map<std::size_t, Station> found;
  for (const StationRing& ring : rings_.stations()) {
    if (!ring.label) continue;
    const auto before = stations_.find(ring.id.index);
    const bool known =
        before != stations_.end() && before->second.id == ring.id && before->second.label == *ring.label;
    found.emplace(ring.id.index, known ? std::move(before->second) : Station{ring.id, *ring.label});
  }
  stations_ = std::move(found);
}

void RingMeters::clear_levels() {
  for (const auto& entry : stations_) metrics_of(entry.second).clear_level();
}

void RingMeters::measure(Station& station, std::int64_t now_ns) {
  const auto newest = rings_.reader().newest(station.id);
  if (!newest || rings_.reader().timeline().depth_ns(*newest, now_ns) <= 0) {
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
  const Timeline& timeline = rings_.reader().timeline();
  const std::int64_t most = std::min<std::int64_t>(rings_.reader().slots(), kMostNs / timeline.chunk_ns());
  const std::int64_t live = std::max<std::int64_t>({0, timeline.chunk_at(now_ns), newest + 1 - most});
  const bool continues = station.next >= 0 && station.next <= newest + 1 && newest - station.next < most;
  return continues ? station.next : live;
}

void RingMeters::measure_chunk(Station& station, std::int64_t chunk) {
  const Timeline& timeline = rings_.reader().timeline();
  if (rings_.reader().read(station.id, chunk, chunk_.data()) != RingRead::kChunk) {
    // Lapped, or synthd was too late and skipped it: what follows is no continuation.
    station.meter.reset();
    return;
  }
  if (!station.meter) station.meter.emplace(timeline.sample_rate, timeline.chunk_frames);
  const ChunkFindings findings = station.meter->add(chunk_.data());
  SilenceCause cause = SilenceCause::kZero;
  if (findings.silent) {
    const auto state = rings_.reader().state(station.id);
    if (state && state->muted(chunk)) cause = SilenceCause::kMuted;
  }
  metrics_of(station).count(findings, cause,
                            static_cast<double>(timeline.chunk_ns()) / static_cast<double>(kNsPerSecond));
}

}  // namespace auralis
