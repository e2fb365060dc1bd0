// SPDX-License-Identifier: MIT
// The metrics of what a station sounds like (audio_meter.h), at one point of the audio's way: `at` is
// "published", in the ring, or "sent", to listeners.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/metrics/audio_meter.h"
#include "common/metrics/metrics.h"

namespace auralis {

// Why a chunk is silent.
enum class SilenceCause {
  kUnderrun,  // it is in place of a missing one
  kMuted,     // all voices of the station are switched off
  kZero,      // none of these
};
inline constexpr std::array<std::string_view, 3> kSilenceCauses{"underrun", "muted", "zero"};

// Of one station. The thread that its binder belongs to.
struct AudioMetrics {
  Gauge peak;
  Gauge loudness_lufs;
  std::array<Counter, kSilenceCauses.size()> silence_seconds;  // by SilenceCause
  Counter clipped_samples;
  Counter discontinuities;

  // Counts a chunk that lasts `seconds`; `cause` matters only if it is silent.
  void count(const ChunkFindings& findings, SilenceCause cause, double seconds);

  // Sets the gauges to the level of the last chunks; makes them absent.
  void show_level(double peak_level, std::optional<double> loudness);
  void clear_level();
};

// Declares them. `station`: a late label.
AudioMetrics declare_audio_metrics(MetricBinder& m, const std::string& at, const MetricLabel& station);

}  // namespace auralis
