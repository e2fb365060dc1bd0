// SPDX-License-Identifier: MIT
#include "synthd/station_capacity.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <system_error>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "synthd/engine/make_engine.h"
#include "synthd/station.h"

namespace auralis {
namespace {

constexpr std::size_t kRingBytes = 256'000'000;
constexpr std::size_t kTrialStations = 64;
constexpr std::int64_t kTrialNs = 50 * kNsPerMs;

// Stations that the engine renders in real time.
std::size_t stations_in_real_time(const Config& config, const Timeline& timeline) {
  const auto engine = make_engine(config, engine_shape(timeline, kTrialStations), false);
  std::vector<Station> stations;
  stations.reserve(kTrialStations);
  for (std::size_t i = 0; i < kTrialStations; ++i) {
    const MusicParameters& parameters = config.stations[i % config.stations.size()].parameters;
    stations.emplace_back(i, timeline, begun_with(parameters));
  }
  const SystemClock clock;
  std::vector<StationChunk> batch(kTrialStations);
  // After the first bars, where the melody and the swells may not have started.
  const std::int64_t begin = 60 * kNsPerSecond / timeline.chunk_ns();
  std::int64_t chunk = begin;
  std::int64_t start_ns = 0;
  std::int64_t now_ns = 0;
  do {
    for (std::size_t i = 0; i < kTrialStations; ++i) {
      batch[i] = stations[i].prepare(chunk);
      batch[i].station = i;
    }
    engine->render(batch.data(), batch.size());
    now_ns = clock.now_ns();
    if (chunk++ == begin) start_ns = now_ns;  // not the first one: the caches are cold
  } while (now_ns - start_ns < kTrialNs);
  const std::int64_t played_ns = (chunk - begin - 1) * timeline.chunk_ns();
  return static_cast<std::size_t>(std::int64_t{kTrialStations} * played_ns / (now_ns - start_ns));
}

std::uintmax_t free_bytes(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  const auto space = std::filesystem::space(directory, error);
  // An error of the folder is reported when the segment is opened.
  return error ? std::numeric_limits<std::uintmax_t>::max() : space.available;
}

}  // namespace

std::size_t StationBounds::capacity(std::size_t configured) const {
  return std::clamp(std::min({by_speed, by_memory, by_space}), configured, kMostStations);
}

StationBounds station_bounds(const Config& config, const Timeline& timeline, std::uint32_t ring_slots) {
  const std::size_t bytes = RingGeometry{ring_slots, timeline.chunk_samples()}.bytes();
  StationBounds bounds;
  bounds.by_speed = stations_in_real_time(config, timeline) / 2;
  bounds.by_memory = kRingBytes / bytes;
  bounds.by_space = free_bytes(config.daemon_dir(Daemon::kSynthd)) / 4 / bytes;
  return bounds;
}

std::size_t station_capacity(const Config& config, const Timeline& timeline, std::uint32_t ring_slots) {
  if (config.synthd.max_stations > 0) return static_cast<std::size_t>(config.synthd.max_stations);
  const auto former = former_capacity(config.daemon_dir(Daemon::kSynthd), timeline, ring_slots);
  if (former && *former >= config.stations.size()) return *former;
  const StationBounds bounds = station_bounds(config, timeline, ring_slots);
  const std::size_t capacity = bounds.capacity(config.stations.size());
  log_info("station capacity", {{"capacity", static_cast<std::int64_t>(capacity)},
                                {"by_speed", static_cast<std::int64_t>(bounds.by_speed)},
                                {"by_memory", static_cast<std::int64_t>(bounds.by_memory)},
                                {"by_space", static_cast<std::int64_t>(bounds.by_space)}});
  return capacity;
}

}  // namespace auralis
