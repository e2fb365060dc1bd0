// SPDX-License-Identifier: MIT
#include "tests/unit/synthd/measure.h"

#include <ebur128.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <stdexcept>

namespace auralis::test {
namespace {

constexpr double kPi = 3.14159265358979323846;

double at(const Signal& signal, std::int64_t frame) { return signal[static_cast<std::size_t>(frame)]; }

void check_range(const Signal& signal, std::int64_t from, std::int64_t to) {
  if (from < 0 || to <= from || to > static_cast<std::int64_t>(signal.size()))
    throw std::out_of_range("there are no such frames");
}

double bend(const Signal& signal, std::int64_t frame) {
  return std::abs(at(signal, frame - 1) - 2 * at(signal, frame) + at(signal, frame + 1)) / 2;
}

class BendSum {
 public:
  void add(double value) {
    squares_ += value * value;
    largest_ = std::max(largest_, value);
    ++count_;
  }
  Bends result() const { return {std::sqrt(squares_ / std::max(count_, 1.0)), largest_}; }

 private:
  double squares_ = 0;
  double largest_ = 0;
  double count_ = 0;
};

// In-place FFT; the size is a power of 2.
void fourier_transform(std::vector<std::complex<double>>& x) {
  const std::size_t count = x.size();
  for (std::size_t i = 1, j = 0; i < count; ++i) {
    std::size_t bit = count / 2;
    for (; (j & bit) != 0; bit /= 2) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (std::size_t length = 2; length <= count; length *= 2) {
    for (std::size_t k = 0; k < length / 2; ++k) {
      const auto turn = std::polar(1.0, -2 * kPi * static_cast<double>(k) / static_cast<double>(length));
      for (std::size_t begin = k; begin < count; begin += length) {
        const auto odd = turn * x[begin + length / 2];
        x[begin + length / 2] = x[begin] - odd;
        x[begin] += odd;
      }
    }
  }
}

}  // namespace

void Stereo::append(const float* interleaved, std::size_t frames) {
  for (std::size_t i = 0; i < frames; ++i) {
    left.push_back(interleaved[2 * i]);
    right.push_back(interleaved[2 * i + 1]);
  }
}

double decibels(double amplitude) { return 20 * std::log10(amplitude); }

double rms(const Signal& signal, std::int64_t from, std::int64_t to) {
  check_range(signal, from, to);
  double sum = 0;
  for (std::int64_t i = from; i < to; ++i) sum += at(signal, i) * at(signal, i);
  return std::sqrt(sum / static_cast<double>(to - from));
}

double mean(const Signal& signal, std::int64_t from, std::int64_t to) {
  check_range(signal, from, to);
  double sum = 0;
  for (std::int64_t i = from; i < to; ++i) sum += at(signal, i);
  return sum / static_cast<double>(to - from);
}

double peak(const Signal& signal, std::int64_t from, std::int64_t to) {
  check_range(signal, from, to);
  double highest = 0;
  for (std::int64_t i = from; i < to; ++i) highest = std::max(highest, std::abs(at(signal, i)));
  return highest;
}

double largest_step(const Signal& signal, std::int64_t from, std::int64_t to) {
  check_range(signal, from, to);
  double largest = 0;
  for (std::int64_t i = from + 1; i < to; ++i) {
    largest = std::max(largest, std::abs(at(signal, i) - at(signal, i - 1)));
  }
  return largest;
}

double correlation(const Stereo& audio, std::int64_t from, std::int64_t to) {
  check_range(audio.left, from, to);
  double sum = 0;
  for (std::int64_t i = from; i < to; ++i) sum += at(audio.left, i) * at(audio.right, i);
  return sum / static_cast<double>(to - from) / (rms(audio.left, from, to) * rms(audio.right, from, to));
}

Bends bends(const Signal& signal, std::int64_t from, std::int64_t to) {
  check_range(signal, from - 1, to + 1);
  BendSum sum;
  for (std::int64_t i = from; i < to; ++i) sum.add(bend(signal, i));
  return sum.result();
}

BendsAt bends_at(const Signal& signal, const Frames& places, std::int64_t before, std::int64_t after) {
  const auto frames = static_cast<std::int64_t>(signal.size());
  std::vector<bool> there(signal.size());
  for (const std::int64_t place : places) {
    for (std::int64_t i = std::max<std::int64_t>(place - before, 0); i < std::min(place + after, frames);
         ++i) {
      there[static_cast<std::size_t>(i)] = true;
    }
  }
  BendSum near;
  BendSum far;
  for (std::int64_t i = 1; i + 1 < frames; ++i) {
    (there[static_cast<std::size_t>(i)] ? near : far).add(bend(signal, i));
  }
  return {near.result(), far.result()};
}

std::vector<double> spectrum(const Signal& signal, std::int64_t from, std::size_t count) {
  check_range(signal, from, from + static_cast<std::int64_t>(count));
  constexpr double kTerms[] = {0.35875, 0.48829, 0.14128, 0.01168};
  std::vector<std::complex<double>> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double x = 2 * kPi * static_cast<double>(i) / static_cast<double>(count);
    const double window =
        kTerms[0] - kTerms[1] * std::cos(x) + kTerms[2] * std::cos(2 * x) - kTerms[3] * std::cos(3 * x);
    values[i] = window * at(signal, from + static_cast<std::int64_t>(i));
  }
  fourier_transform(values);
  std::vector<double> amplitudes(count / 2);
  for (std::size_t i = 0; i < amplitudes.size(); ++i) {
    amplitudes[i] = 2 * std::abs(values[i]) / (kTerms[0] * static_cast<double>(count));
  }
  return amplitudes;
}

void Comparison::add(const std::vector<double>& expected, const float* values) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = values[i] - expected[i];
    signal_ += expected[i] * expected[i];
    error_ += error * error;
  }
}

double Comparison::ratio_db() const { return 10 * std::log10(signal_ / error_); }

struct LoudnessMeter::Impl {
  ebur128_state* state;
};

LoudnessMeter::LoudnessMeter(std::uint32_t sample_rate)
    : impl_(std::make_unique<Impl>(
          Impl{ebur128_init(2, sample_rate, EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK)})) {
  if (impl_->state == nullptr) throw std::runtime_error("ebur128_init failed");
}
LoudnessMeter::~LoudnessMeter() { ebur128_destroy(&impl_->state); }

void LoudnessMeter::add(const float* interleaved, std::size_t frames) {
  if (ebur128_add_frames_float(impl_->state, interleaved, frames) != EBUR128_SUCCESS)
    throw std::runtime_error("ebur128_add_frames_float failed");
}

double LoudnessMeter::lufs() const {
  double loudness = 0;
  if (ebur128_loudness_global(impl_->state, &loudness) != EBUR128_SUCCESS)
    throw std::runtime_error("ebur128_loudness_global failed");
  return loudness;
}

double LoudnessMeter::true_peak_db() const {
  double highest = 0;
  for (unsigned side = 0; side < 2; ++side) {
    double of_side = 0;
    if (ebur128_true_peak(impl_->state, side, &of_side) != EBUR128_SUCCESS)
      throw std::runtime_error("ebur128_true_peak failed");
    highest = std::max(highest, of_side);
  }
  return decibels(highest);
}

}  // namespace auralis::test
