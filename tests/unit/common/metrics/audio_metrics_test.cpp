// SPDX-License-Identifier: MIT
#include "common/metrics/audio_metrics.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace auralis::audio_metrics_test {
namespace {

struct StationAudioMetrics {
  explicit StationAudioMetrics(MetricBinder& m)
      : audio(declare_audio_metrics(m, "sent", late_label("station", 0))) {}
  AudioMetrics audio;
};

struct Fixture {
  std::vector<MetricSpec> specs = declared_metrics<StationAudioMetrics>();
  std::vector<SharedWord> words = std::vector<SharedWord>(shard_words(specs));
  LateLabels labels{};
  MetricBinder binder = prepared();
  AudioMetrics audio = StationAudioMetrics(binder).audio;

  MetricBinder prepared() {
    prepare_shard(words.data(), specs);
    labels[0].store(late_text("day"));
    return {words.data(), words.data(), specs};
  }
  // The series that a reader sees, as name{labels}.
  std::vector<std::string> series() const {
    std::vector<MetricSample> samples;
    read_metrics(specs, words.data(), 1, words.size(), samples, &labels);
    std::vector<std::string> found;
    for (const auto& sample : samples) {
      found.push_back(sample.spec.name);
      for (const auto& label : sample.spec.labels) found.back() += " " + label.name + "=" + label.value;
      found.back() += ": " + std::to_string(sample.value).substr(0, 5);
    }
    return found;
  }
};

using Series = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "AudioMetrics: of a station without faults there is its level alone, while it is known") {
  CHECK(series().empty());
  audio.count({}, SilenceCause::kMuted, 0.1);
  audio.show_level(0.25, std::nullopt);
  CHECK(series() == Series{"auralis_audio_peak station=day at=sent: 0.250"});
  audio.show_level(0.25, -17.5);
  CHECK(series() == Series{"auralis_audio_peak station=day at=sent: 0.250",
                           "auralis_audio_loudness_lufs station=day at=sent: -17.5"});
  audio.clear_level();
  CHECK(series().empty());
}

TEST_CASE_FIXTURE(Fixture, "AudioMetrics: silence counts by its cause, faults by their number") {
  ChunkFindings silent;
  silent.silent = true;
  audio.count(silent, SilenceCause::kUnderrun, 0.1);
  audio.count(silent, SilenceCause::kUnderrun, 0.1);
  audio.count(silent, SilenceCause::kMuted, 0.5);
  audio.count(silent, SilenceCause::kZero, 1);
  ChunkFindings faulty;
  faulty.clipped_samples = 7;
  faulty.discontinuous = true;
  audio.count(faulty, SilenceCause::kZero, 0.1);
  CHECK(series() == Series{"auralis_audio_silence_seconds_total station=day at=sent cause=underrun: 0.200",
                           "auralis_audio_silence_seconds_total station=day at=sent cause=muted: 0.500",
                           "auralis_audio_silence_seconds_total station=day at=sent cause=zero: 1.000",
                           "auralis_audio_clipped_samples_total station=day at=sent: 7.000",
                           "auralis_audio_discontinuities_total station=day at=sent: 1.000"});
}

}  // namespace auralis::audio_metrics_test
