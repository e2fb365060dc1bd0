// SPDX-License-Identifier: MIT
#include "streamd/encode/encoding_capacity.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "streamd/encode/opus_stream.h"

namespace auralis {
namespace {

constexpr std::size_t kMostThreadsByDefault = 4;
constexpr std::int64_t kTrialNs = 30 * kNsPerMs;
constexpr std::size_t kLeastChunks = 5;
constexpr std::int64_t kBitsPerKbit = 1'000;

// CPU time of this thread alone: a machine that is busy while streamd starts does not count.
std::int64_t processor_time_ns() {
  timespec time{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);  // cannot fail: the clock exists, the pointer is valid
  return time.tv_sec * kNsPerSecond + time.tv_nsec;
}

// Chords and noise, as in music.
AudioChunk trial_chunk(std::int64_t seq, std::uint32_t sample_rate, std::uint32_t frames) {
  AudioChunk chunk;
  chunk.seq = seq;
  chunk.sample_rate = sample_rate;
  chunk.channels = 2;
  chunk.frames = frames;
  std::vector<std::int16_t> samples;
  samples.reserve(std::size_t{frames} * 2);
  std::uint32_t noise = 1;
  for (std::uint32_t frame = 0; frame < frames; ++frame) {
    const double at = static_cast<double>(seq * frames + frame) / sample_rate;
    double sound = 0;
    for (const double hz : {110.0, 220.5, 331.0, 660.0})
      sound += 3'000 * std::sin(6.283185307179586 * hz * at);
    noise = noise * 1'664'525 + 1'013'904'223;
    sound += static_cast<double>(noise >> 22U);
    samples.insert(samples.end(), 2, static_cast<std::int16_t>(sound));
  }
  chunk.samples = Samples::copy_of(samples);
  return chunk;
}

}  // namespace

std::size_t encoding_threads(const Config& config) {
  if (config.streamd.encoding_threads > 0) return static_cast<std::size_t>(config.streamd.encoding_threads);
  const std::size_t cores = std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(cores, 2, kMostThreadsByDefault + 1) - 1;
}

std::size_t encodable_stations(std::size_t threads, std::uint32_t sample_rate, std::int64_t chunk_ms,
                               std::int32_t bitrate) {
  OpusStream encoder(sample_rate, bitrate);
  const auto frames = static_cast<std::uint32_t>(sample_rate * chunk_ms / 1'000);
  std::vector<std::int64_t> took_ns;
  std::int64_t spent_ns = 0;
  for (std::int64_t seq = 0; spent_ns < kTrialNs || took_ns.size() < kLeastChunks; ++seq) {
    const AudioChunk chunk = trial_chunk(seq, sample_rate, frames);
    const std::int64_t began_ns = processor_time_ns();
    encoder.encode(chunk);
    took_ns.push_back(processor_time_ns() - began_ns);
    spent_ns += took_ns.back();
  }
  // The median, since some may have been interrupted.
  const auto middle = took_ns.begin() + static_cast<std::ptrdiff_t>(took_ns.size() / 2);
  std::nth_element(took_ns.begin(), middle, took_ns.end());
  return threads * static_cast<std::size_t>(chunk_ms * kNsPerMs / std::max<std::int64_t>(1, *middle)) / 2;
}

std::size_t encoder_capacity(const Config& config) {
  if (config.streamd.max_opus_stations > 0) return static_cast<std::size_t>(config.streamd.max_opus_stations);
  const std::size_t threads = encoding_threads(config);
  const std::size_t all =
      encodable_stations(threads, static_cast<std::uint32_t>(config.audio.sample_rate), config.audio.chunk_ms,
                         static_cast<std::int32_t>(config.streamd.opus_kbps * kBitsPerKbit));
  const std::size_t configured = config.stations.size();
  const std::size_t personal = all > configured ? all - configured : 0;
  log_info("Opus encoding capacity, in stations", {{"threads", static_cast<std::int64_t>(threads)},
                                                   {"configured", static_cast<std::int64_t>(configured)},
                                                   {"personal", static_cast<std::int64_t>(personal)}});
  return personal;
}

}  // namespace auralis
