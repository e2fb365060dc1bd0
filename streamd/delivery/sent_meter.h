// SPDX-License-Identifier: MIT
// Measures what listeners are sent, on a thread of low priority. The thread that paces chunks hands over
// references to their samples, and takes back what was found, without a lock, an allocation or a system call.
// If the meter falls behind, chunks are not measured: nothing waits for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "common/metrics/audio_metrics.h"
#include "common/segments/audio_segment.h"
#include "streamd/encode/frame.h"

namespace auralis {

// A chunk that a listener is sent, or silence in its place.
struct SentChunk {
  StationId station;
  AudioChunk audio;
};

// Findings of a chunk, and the level of the station's audio up to its end.
struct MeasuredChunk {
  StationId station;
  std::int64_t seq = 0;
  double seconds = 0;  // that it lasts
  ChunkFindings findings;
  SilenceCause cause = SilenceCause::kZero;  // if it is silent
  double peak = 0;
  std::optional<double> loudness_lufs;
  Samples samples;  // normally given back: a thread of low priority that frees them might hold the
                    // allocator's lock
};

class SentMeter {
 public:
  static constexpr std::size_t kMostQueued = 512;  // 1.6 s of 32 stations in chunks of 100 ms

  // `synthd_directory`: of the segment that tells which stations are muted.
  explicit SentMeter(const std::filesystem::path& synthd_directory);
  // Ends its thread.
  ~SentMeter();
  SentMeter(const SentMeter&) = delete;
  SentMeter& operator=(const SentMeter&) = delete;

  // Starts the thread that measures. Once.
  void start();

  // Both by one thread, the one that paces chunks. offer(): the chunks of each station in order; one that
  // finds the queue full is not measured.
  void offer(const SentChunk& chunk);
  std::optional<MeasuredChunk> take();

  // Measures what is queued: the thread of start(), or a test's if it does not call start().
  void measure_queued();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace auralis
