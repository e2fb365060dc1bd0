// SPDX-License-Identifier: MIT
// Converts a stream of audio to another sampling rate, with speexdsp: images and aliases are below -100 dB.
// The output lags by delay_frames(). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

struct SpeexResamplerState_;  // NOLINT(readability-identifier-naming): speexdsp's own name

namespace auralis {

class Resampler {
 public:
  // Throws std::runtime_error if there is no memory.
  Resampler(std::uint32_t from_hz, std::uint32_t to_hz, std::uint32_t channels);

  // Delay of the output, in its frames; not necessarily a whole number.
  double delay_frames() const;

  // Converts `in` and appends it to `out`, both interleaved. The frames appended are those of `in` times
  // to_hz / from_hz, exactly, if that was a whole number for every call so far.
  void process(const std::vector<float>& in, std::vector<float>& out);

  // Begins another stream.
  void reset();

 private:
  struct Destroy {
    void operator()(SpeexResamplerState_* state) const;
  };

  std::uint32_t from_hz_;
  std::uint32_t to_hz_;
  std::uint32_t channels_;
  std::unique_ptr<SpeexResamplerState_, Destroy> state_;
};

}  // namespace auralis
