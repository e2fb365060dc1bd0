// SPDX-License-Identifier: MIT
// Sound at another sampling rate, by speexdsp: images and aliases lie 100 dB below. A
// stream goes in piece by piece; what comes out lags behind by delay_frames(). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

struct SpeexResamplerState_;  // NOLINT(readability-identifier-naming): speexdsp's own name

namespace auralis {

class Resampler {
 public:
  // Throws std::runtime_error where there is no memory.
  Resampler(std::uint32_t from_hz, std::uint32_t to_hz, std::uint32_t channels);

  // Of the output, as a number that need not be whole.
  double delay_frames() const;

  // Appends to `out` what `in` (interleaved) becomes: its frames times to_hz / from_hz, exactly, wherever
  // that has been whole after each piece so far.
  void process(const std::vector<float>& in, std::vector<float>& out);

  // The next piece begins another stream.
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
