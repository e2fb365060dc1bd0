// SPDX-License-Identifier: MIT
// What tests hear of a signal: levels, steps, spectra, loudness. Optimised even where the tests are not: a
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

// Of the frames from `from` to before `to`.
double rms(const Signal& signal, std::int64_t from, std::int64_t to);
double mean(const Signal& signal, std::int64_t from, std::int64_t to);
double peak(const Signal& signal, std::int64_t from, std::int64_t to);
double largest_step(const Signal& signal, std::int64_t from, std::int64_t to);
// From -1 to 1.
double correlation(const Stereo& audio, std::int64_t from, std::int64_t to);

// How far frames are off the middle of their neighbours, the root of the mean square and the largest: a click
// is far off, music is not.
struct Bends {
  double rms = 0;
  double largest = 0;
};
Bends bends(const Signal& signal, std::int64_t from, std::int64_t to);
// At each of `places`, from `before` frames before it to before `after` frames after it; and at all other
// frames.
struct BendsAt {
  Bends there;
  Bends elsewhere;
};
BendsAt bends_at(const Signal& signal, const Frames& places, std::int64_t before, std::int64_t after);

// Amplitudes of `count` frames, a power of 2, at the frequencies k * rate / count, under a Blackman-Harris
// window: a sine's main lobe is 4 of them to either side, all else lies 92 dB lower.
std::vector<double> spectrum(const Signal& signal, std::int64_t from, std::size_t count);

// How far a signal stands over what another is off it.
class Comparison {
 public:
  void add(const std::vector<double>& expected, const float* values);
  double ratio_db() const;

 private:
  double signal_ = 0;
  double error_ = 0;
};

// Integrated loudness (EBU R 128) and true peak (ITU-R BS.1770).
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
