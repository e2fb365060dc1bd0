// SPDX-License-Identifier: MIT
#include "tools/probe/verdict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "streamd/encode/frame.h"
#include "tools/probe/opus_audio.h"

namespace auralis {
namespace {

constexpr double kFullScale = 32'768;
// Quieter seconds are judged as if they were as loud as this, -50 dB: a codec need not resolve silence.
constexpr double kQuietPower = 1e-5;
// Louder than dither.
constexpr std::int32_t kLeastPeak = 8;
// In which a decoder that joins a stream converges.
constexpr std::size_t kConvergenceFrames = kOpusHz / 5;

std::string number(const ReceivedChunk& chunk) { return "chunk " + std::to_string(chunk.head.seq); }

std::string decibels(double db) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f dB", db);
  return text.data();
}

// Power of the music and of what differs from it, second by second.
class SignalToDifference {
 public:
  explicit SignalToDifference(std::size_t samples_per_s) : samples_per_s_(samples_per_s) {}

  // In parts of full scale.
  void add(double expected, double got) {
    signal_ += expected * expected;
    difference_ += (got - expected) * (got - expected);
    if (++samples_ == samples_per_s_) end_second();
  }

  // Of the worst second; nothing if nothing differs.
  std::optional<double> worst_db() {
    // The rest is judged on its own only if there is no whole second.
    if (!worst_ && samples_ > 0) end_second();
    return worst_;
  }

 private:
  void end_second() {
    const double count = static_cast<double>(samples_);
    if (difference_ > 0) {
      const double db = 10 * std::log10(std::max(signal_ / count, kQuietPower) / (difference_ / count));
      worst_ = std::min(worst_.value_or(db), db);
    }
    signal_ = difference_ = 0;
    samples_ = 0;
  }

  std::size_t samples_per_s_;
  double signal_ = 0;
  double difference_ = 0;
  std::size_t samples_ = 0;
  std::optional<double> worst_;
};

// The first consecutive chunk that is silence in place of music, as a reason; empty: none.
std::string underrun_of(const Reception& reception) {
  for (std::size_t i = 0; i < consecutive_chunks(reception); ++i) {
    const ReceivedChunk& chunk = reception.chunks[i];
    if (chunk.head.silence) return "underrun: " + number(chunk) + " is silence in place of music";
  }
  return {};
}

std::string gap_of(const Reception& reception) {
  const std::size_t count = consecutive_chunks(reception);
  if (count == reception.chunks.size()) return {};
  return "gap: " + number(reception.chunks[count - 1]) + " is followed by " + number(reception.chunks[count]);
}

void judge_peak(Verdict& verdict) {
  if (verdict.reason.empty() && verdict.peak < kLeastPeak)
    verdict.reason = "silence: the music's peak is " + std::to_string(verdict.peak) + " of 32767";
}

std::int16_t sample_at(std::string_view bytes, std::size_t index) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  return static_cast<std::int16_t>(byte(2 * index) | byte(2 * index + 1) << 8U);
}

// How many chunks differ, and where the first one does.
struct Differences {
  std::size_t chunks = 0;
  std::int32_t greatest = 0;
  std::string first;
};

void compare_chunk(const ReceivedChunk& chunk, const std::int16_t* expected, std::size_t samples,
                   Differences& differences, SignalToDifference& ratio, Verdict& verdict) {
  bool differs = false;
  for (std::size_t i = 0; i < samples; ++i) {
    const std::int32_t got = sample_at(chunk.audio, i);
    verdict.peak = std::max(verdict.peak, std::abs(got));
    ratio.add(expected[i] / kFullScale, got / kFullScale);
    if (got == expected[i]) continue;
    differences.greatest = std::max(differences.greatest, std::abs(got - expected[i]));
    if (!differs && differences.chunks == 0) {
      differences.first = number(chunk) + ", frame " + std::to_string(i / kChannels) +
                          (i % kChannels == 0 ? ", left" : ", right") + ": expected " +
                          std::to_string(expected[i]) + ", got " + std::to_string(got);
    }
    differs = true;
  }
  if (differs) ++differences.chunks;
}

std::string told(const Differences& differences, std::size_t chunks) {
  return differences.first + "; " + std::to_string(differences.chunks) + " of " + std::to_string(chunks) +
         " chunks differ, by " + std::to_string(differences.greatest) + " at most";
}

}  // namespace

std::size_t consecutive_chunks(const Reception& reception) {
  const auto& chunks = reception.chunks;
  std::size_t count = chunks.empty() ? 0 : 1;
  while (0 < count && count < chunks.size() && chunks[count].head.seq == chunks[count - 1].head.seq + 1)
    ++count;
  return count;
}

Verdict judge_delivery(const Reception& reception) {
  Verdict verdict;
  for (std::size_t i = 1; i < reception.chunks.size(); ++i)
    verdict.gaps += reception.chunks[i].head.seq - reception.chunks[i - 1].head.seq - 1;
  verdict.wrong = verdict.gaps + static_cast<std::uint64_t>(std::count_if(
                                     reception.chunks.begin(), reception.chunks.end(),
                                     [](const ReceivedChunk& chunk) { return chunk.head.silence; }));
  for (const std::string& reason : {underrun_of(reception), gap_of(reception), reception.ended}) {
    if (verdict.reason.empty()) verdict.reason = reason;
  }
  return verdict;
}

Verdict judge_pcm(const Reception& reception, const Timeline& timeline,
                  const std::vector<std::int16_t>& expected, Strictness strictness) {
  Verdict verdict = judge_delivery(reception);
  const std::size_t count = consecutive_chunks(reception);
  const std::size_t samples = timeline.chunk_samples();
  Differences differences;
  SignalToDifference ratio(std::size_t{timeline.sample_rate} * kChannels);
  for (std::size_t i = 0; i < count; ++i) {
    const ReceivedChunk& chunk = reception.chunks[i];
    if (chunk.head.sample_rate != timeline.sample_rate || chunk.audio.size() != samples * 2) {
      verdict.reason = number(chunk) + " has another rate or length than the station's";
      ++verdict.wrong;
      return verdict;
    }
    if (!chunk.head.silence)
      compare_chunk(chunk, expected.data() + i * samples, samples, differences, ratio, verdict);
  }
  verdict.snr_db = ratio.worst_db();
  const bool close = verdict.snr_db.value_or(kLeastCloseSnrDb) >= kLeastCloseSnrDb;
  if (strictness == Strictness::kExact || !close) verdict.wrong += differences.chunks;
  if (strictness == Strictness::kExact && differences.chunks > 0) {
    verdict.reason = told(differences, count);
    if (close && differences.chunks == count) verdict.reason += "; another engine? See --compare close";
  } else if (!close) {
    verdict.reason = told(differences, count) + "; " + decibels(*verdict.snr_db);
  }
  verdict.exact = count > 0 && differences.chunks == 0 && verdict.reason.empty();
  judge_peak(verdict);
  return verdict;
}

Verdict judge_opus(const Reception& reception, const Timeline& timeline,
                   const std::vector<std::int16_t>& expected) {
  Verdict verdict = judge_delivery(reception);
  const std::size_t count = consecutive_chunks(reception);
  if (count == 0) return verdict;
  const auto heard = decode_opus(reception.chunks, count);
  if (!heard) {
    verdict.reason = "a packet that is not Opus";
    return verdict;
  }
  const std::vector<float> ideal = ideal_opus(timeline, expected, reception.chunks.front().head);
  SignalToDifference ratio(std::size_t{kOpusHz} * kChannels);
  for (std::size_t i = kConvergenceFrames * kChannels; i < std::min(heard->size(), ideal.size()); ++i) {
    const double got = (*heard)[i];
    verdict.peak = std::max(verdict.peak, static_cast<std::int32_t>(std::min(1.0, std::abs(got)) * 32'767));
    ratio.add(ideal[i], got);
  }
  verdict.snr_db = ratio.worst_db();
  if (verdict.reason.empty() && verdict.snr_db.value_or(kLeastOpusSnrDb) < kLeastOpusSnrDb) {
    verdict.reason = "decoded Opus is " + decibels(*verdict.snr_db) +
                     " above its difference from the music; " + decibels(kLeastOpusSnrDb) + " is the least";
  }
  judge_peak(verdict);
  return verdict;
}

}  // namespace auralis
