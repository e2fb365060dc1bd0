// SPDX-License-Identifier: MIT
// Measurements of signals for tests: levels, steps, spectra, loudness. Optimised even if the tests are not: a
// minute is millions of samples. Plain functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace auralis::test {

using Signal = std::vector<float>;  // one side, full scale is 1
using Frames = std::vector<std::int64_t>;

struct Stereo {
  Signal left;
  Signal right;

  std::int64_t frames() const { return static_cast<std::int64_t>(left.size()); }
  void append(const float* interleaved, std::size_t frames);
};

double decibels(double amplitude);

// RMS and mean of the frames [from, to).
double rms(const Signal& signal, std::int64_t from, std::int64_t to);
double mean(const Signal& signal, std::int64_t from, std::int64_t to);
double peak(const Signal& signal, std::int64_t from, std::int64_t to);
double largest_step(const Signal& signal, std::int64_t from, std::int64_t to);
// Correlation of left and right in the frames [from, to), from -1 to 1.
double correlation(const Stereo& audio, std::int64_t from, std::int64_t to);

// Distance of each frame from the mean of its neighbours, as RMS and maximum: a click is far off, music is
// not.
struct Bends {
  double rms = 0;
  double largest = 0;
};
Bends bends(const Signal& signal, std::int64_t from, std::int64_t to);
// Bends near `places`, from `before` frames before each to `after` frames after it (exclusive), and at all
// other frames.
struct BendsAt {
  Bends there;
  Bends elsewhere;
};
BendsAt bends_at(const Signal& signal, const Frames& places, std::int64_t before, std::int64_t after);

// Amplitude spectrum of `count` frames, a power of 2, at the frequencies k * rate / count, with a
// Blackman-Harris window: a sine's main lobe extends 4 bins to either side, its side lobes are at -92 dB.
std::vector<double> spectrum(const Signal& signal, std::int64_t from, std::size_t count);

// Signal-to-noise ratio: a signal against its difference from another one.
class Comparison {
 public:
  void add(const std::vector<double>& expected, const float* values);
  double ratio_db() const;

 private:
  double signal_ = 0;
  double error_ = 0;
};

// Measures integrated loudness (EBU R 128) and true peak (ITU-R BS.1770).
class LoudnessMeter {
 public:
  explicit LoudnessMeter(std::uint32_t sample_rate);
  ~LoudnessMeter();

  void add(const float* interleaved, std::size_t frames);
  double lufs() const;
  double true_peak_db() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis::test
