// SPDX-License-Identifier: MIT
// A station with a sound of the test's choice, and a decoder for what its OpusStream sends.
#pragma once

#include <opus.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "streamd/encode/frame.h"
#include "tests/unit/synthd/measure.h"

namespace auralis::test {

inline constexpr double kTwoPi = 6.283185307179586;
inline constexpr int kMostFrames = 5'760;  // of a packet
inline constexpr std::int64_t kFirstDueUs = 1'700'000'000'000'000;

// `sound` is a function of time in seconds, from the beginning of chunk 0; both channels are the same.
struct TestStation {
  std::uint32_t sample_rate = 44'100;
  std::uint32_t chunk_ms = 100;
  std::function<double(double)> sound = [](double) { return 0.0; };

  std::uint32_t chunk_frames() const {
    return sample_rate / 1'000 * chunk_ms + sample_rate % 1'000 * chunk_ms / 1'000;
  }

  AudioChunk chunk(std::int64_t seq) const {
    AudioChunk chunk;
    chunk.seq = seq;
    chunk.due_unix_us = kFirstDueUs + seq * chunk_ms * 1'000;
    chunk.sample_rate = sample_rate;
    chunk.channels = 2;
    chunk.frames = chunk_frames();
    std::vector<std::int16_t> samples;
    for (std::uint32_t frame = 0; frame < chunk.frames; ++frame) {
      const double at = static_cast<double>(seq * chunk.frames + frame) / sample_rate;
      const auto sample = static_cast<std::int16_t>(std::lround(32'767 * sound(at)));
      samples.insert(samples.end(), 2, sample);
    }
    chunk.samples = Samples::copy_of(samples);
    return chunk;
  }

  AudioChunk silence(std::int64_t seq) const {
    AudioChunk chunk = TestStation{sample_rate, chunk_ms}.chunk(seq);
    chunk.silence = true;
    return chunk;
  }
};

inline std::function<double(double)> tone(double hz, double amplitude) {
  return [=](double seconds) { return amplitude * std::sin(kTwoPi * hz * seconds); };
}

// Decodes all packets with one decoder.
class TestDecoder {
 public:
  TestDecoder()
      : decoder_(opus_decoder_create(static_cast<opus_int32>(kOpusHz), 2, nullptr), opus_decoder_destroy) {}

  void add(const std::vector<std::string>& packets) {
    std::vector<float> samples(std::size_t{2} * kMostFrames);
    for (const std::string& packet : packets) {
      const int frames =
          opus_decode_float(decoder_.get(), reinterpret_cast<const unsigned char*>(packet.data()),
                            static_cast<opus_int32>(packet.size()), samples.data(), kMostFrames, 0);
      if (frames < 0) throw std::runtime_error(opus_strerror(frames));
      heard.append(samples.data(), static_cast<std::size_t>(frames));
    }
  }

  Stereo heard;

 private:
  std::unique_ptr<OpusDecoder, void (*)(OpusDecoder*)> decoder_;
};

// The sine of `hz` that fits best: its amplitude, its phase, and its ratio to the rest of the signal.
struct FittedTone {
  double amplitude;
  double radians;  // the sine's argument at frame `from`
  double ratio_db;
};

inline FittedTone fit_tone(const Signal& signal, double hz, double rate, std::int64_t from, std::int64_t to) {
  // Over whole periods sine and cosine are orthogonal, and nearly so over any long range.
  double with_sine = 0;
  double with_cosine = 0;
  const auto angle = [&](std::int64_t frame) {
    return kTwoPi * hz * static_cast<double>(frame - from) / rate;
  };
  for (std::int64_t frame = from; frame < to; ++frame) {
    const double sample = signal[static_cast<std::size_t>(frame)];
    with_sine += sample * std::sin(angle(frame));
    with_cosine += sample * std::cos(angle(frame));
  }
  const double scale = 2.0 / static_cast<double>(to - from);
  const double a = with_sine * scale;
  const double b = with_cosine * scale;
  double rest = 0;
  for (std::int64_t frame = from; frame < to; ++frame) {
    const double off =
        signal[static_cast<std::size_t>(frame)] - a * std::sin(angle(frame)) - b * std::cos(angle(frame));
    rest += off * off;
  }
  const double power = (a * a + b * b) / 2;
  return {std::hypot(a, b), std::atan2(b, a),
          10 * std::log10(power / (rest / static_cast<double>(to - from) + 1e-20))};
}

}  // namespace auralis::test
