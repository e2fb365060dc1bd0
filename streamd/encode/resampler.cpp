// SPDX-License-Identifier: MIT
#include "streamd/encode/resampler.h"

#include <speex/speex_resampler.h>

#include <stdexcept>
#include <string>

namespace auralis {
namespace {

// The least quality whose artefacts are below the noise of 16 bits; the best, 10, costs twice as much.
constexpr int kQuality = 8;

}  // namespace

void Resampler::Destroy::operator()(SpeexResamplerState_* state) const { speex_resampler_destroy(state); }

Resampler::Resampler(std::uint32_t from_hz, std::uint32_t to_hz, std::uint32_t channels)
    : from_hz_(from_hz), to_hz_(to_hz), channels_(channels) {
  int error = RESAMPLER_ERR_SUCCESS;
  state_.reset(speex_resampler_init(channels, from_hz, to_hz, kQuality, &error));
  if (!state_) throw std::runtime_error(std::string("resampler: ") + speex_resampler_strerror(error));
}

double Resampler::delay_frames() const {
  return static_cast<double>(speex_resampler_get_input_latency(state_.get())) * to_hz_ / from_hz_;
}

void Resampler::process(const std::vector<float>& in, std::vector<float>& out) {
  const std::size_t begin = out.size();
  const std::size_t frames = in.size() / channels_;
  // The resampler takes all input as long as the output has room.
  auto taken = static_cast<spx_uint32_t>(frames);
  auto made = static_cast<spx_uint32_t>(frames * to_hz_ / from_hz_ + 1);
  out.resize(begin + std::size_t{made} * channels_);
  speex_resampler_process_interleaved_float(state_.get(), in.data(), &taken, out.data() + begin, &made);
  out.resize(begin + std::size_t{made} * channels_);
}

// speexdsp 1.2.1 clears the memory of the first channel only: silence clears the others'.
void Resampler::reset() {
  const auto latency = static_cast<std::size_t>(speex_resampler_get_input_latency(state_.get()));
  std::vector<float> washed;
  process(std::vector<float>(2 * latency * channels_), washed);
  speex_resampler_reset_mem(state_.get());
}

}  // namespace auralis
