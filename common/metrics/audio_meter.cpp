// SPDX-License-Identifier: MIT
#include "common/metrics/audio_meter.h"

#include <ebur128.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>
#include <numeric>

namespace auralis {
namespace {

constexpr int kFullScale = std::numeric_limits<std::int16_t>::max();  // and one below it, on the other side
constexpr double kScale = 32'768;

// A seam is a fault if it bends more than so many times what the waveform bends within both chunks, and can
// be heard. Calibrated on rendered music (docs/decisions/0041).
constexpr double kBendFactor = 2.5;
constexpr int kLeastBend = 128;  // -48 dBFS

// How far the frame in the middle lies from the line through its neighbours, doubled.
int bend_of(int before, int middle, int after) { return std::abs(before - 2 * middle + after); }

int largest_sample(const std::int16_t* samples, std::size_t count) {
  std::int16_t least = 0;
  std::int16_t most = 0;
  for (std::size_t i = 0; i < count; ++i) {
    least = std::min(least, samples[i]);
    most = std::max(most, samples[i]);
  }
  return std::max(-int{least}, int{most});
}

int largest_bend(const std::int16_t* samples, std::size_t count) {
  constexpr std::size_t kStep = AudioMeter::kChannels;
  int largest = 0;
  for (std::size_t i = 2 * kStep; i < count; ++i)
    largest = std::max(largest, bend_of(samples[i - 2 * kStep], samples[i - kStep], samples[i]));
  return largest;
}

std::int64_t chunk_ms(std::uint32_t sample_rate, std::uint32_t chunk_frames) {
  return std::int64_t{chunk_frames} * 1'000 / std::int64_t{sample_rate};
}

std::size_t window_chunks(std::int64_t milliseconds) {
  return static_cast<std::size_t>((AudioMeter::kWindowMs + milliseconds - 1) / milliseconds);
}

}  // namespace

// Power after the filters of ITU-R BS.1770. libebur128's own window of 3 s would hold megabytes for each
// station, and be summed up again at each look; a chunk's power is the mean of its parts.
struct AudioMeter::Loudness {
  struct Destroy {
    void operator()(ebur128_state* destroyed) const { ebur128_destroy(&destroyed); }
  };

  std::unique_ptr<ebur128_state, Destroy> state;
  std::size_t chunk_frames;
  unsigned long chunk_ms;

  Loudness(std::uint32_t sample_rate, std::uint32_t frames)
      : state(ebur128_init(kChannels, sample_rate, EBUR128_MODE_M)),
        chunk_frames(frames),
        chunk_ms(static_cast<unsigned long>(auralis::chunk_ms(sample_rate, frames))) {
    if (!state) throw std::bad_alloc();
  }

  // Of the chunk, which follows those before.
  double power_of(const std::int16_t* samples) {
    double lufs = 0;
    ebur128_add_frames_short(state.get(), samples, chunk_frames);
    ebur128_loudness_window(state.get(), chunk_ms, &lufs);
    return std::pow(10, lufs / 10);
  }
};

bool AudioMeter::can_measure(std::uint32_t sample_rate, std::uint32_t chunk_frames) {
  const std::int64_t milliseconds = sample_rate == 0 ? 0 : chunk_ms(sample_rate, chunk_frames);
  return chunk_frames > 2 * kEdgeFrames && milliseconds >= 1 && milliseconds <= kMostChunkMs;
}

AudioMeter::AudioMeter(std::uint32_t sample_rate, std::uint32_t chunk_frames)
    : samples_(std::size_t{chunk_frames} * kChannels),
      loudness_(std::make_unique<Loudness>(sample_rate, chunk_frames)),
      peaks_(window_chunks(chunk_ms(sample_rate, chunk_frames))),
      powers_(peaks_.size()) {}
AudioMeter::~AudioMeter() = default;
AudioMeter::AudioMeter(AudioMeter&&) noexcept = default;
AudioMeter& AudioMeter::operator=(AudioMeter&&) noexcept = default;

ChunkFindings AudioMeter::add(const std::int16_t* samples) {
  const int peak = largest_sample(samples, samples_);
  // Without the frames at its edges: a wrong one would excuse itself.
  constexpr std::size_t kEdge = kEdgeFrames * kChannels;
  const int bend = largest_bend(samples + kEdge, samples_ - 2 * kEdge);
  const bool first = chunks_ == 0;
  ChunkFindings findings;
  findings.silent = peak <= kSilentPeak;
  findings.discontinuous = !first && !continues(samples, bend);
  findings.clipped_samples = peak >= kFullScale ? count_clipped(samples) : 0;
  if (peak < kFullScale) at_full_scale_ = {};
  add_level(samples, peak);
  std::copy(samples + samples_ - last_.size(), samples + samples_, last_.begin());
  last_bend_ = bend;
  return findings;
}

void AudioMeter::add_level(const std::int16_t* samples, int peak) {
  const std::size_t index = chunks_++ % peaks_.size();
  peaks_[index] = peak;
  powers_[index] = loudness_->power_of(samples);
}

std::int64_t AudioMeter::count_clipped(const std::int16_t* samples) {
  std::int64_t clipped = 0;
  for (std::size_t i = 0; i < samples_; ++i) {
    std::int64_t& run = at_full_scale_.at(i % kChannels);
    run = std::abs(int{samples[i]}) >= kFullScale ? run + 1 : 0;
    if (run == kClippedRun) clipped += kClippedRun;
    if (run > kClippedRun) ++clipped;
  }
  return clipped;
}

bool AudioMeter::continues(const std::int16_t* samples, int bend) const {
  const int usual = std::max(bend, last_bend_);
  int seam = 0;
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    const int a = last_[channel];
    const int b = last_[kChannels + channel];
    const int c = samples[channel];
    const int d = samples[kChannels + channel];
    seam = std::max({seam, bend_of(a, b, c), bend_of(b, c, d)});
  }
  return seam <= kLeastBend || seam <= kBendFactor * usual;
}

double AudioMeter::peak() const { return *std::max_element(peaks_.begin(), peaks_.end()) / kScale; }

std::optional<double> AudioMeter::loudness_lufs() const {
  if (chunks_ < powers_.size()) return std::nullopt;
  const double power =
      std::accumulate(powers_.begin(), powers_.end(), 0.0) / static_cast<double>(powers_.size());
  return std::max(kLeastLufs, 10 * std::log10(power));
}

}  // namespace auralis
