// SPDX-License-Identifier: MIT
#include "common/metrics/audio_metrics.h"

namespace auralis {

void AudioMetrics::count(const ChunkFindings& findings, SilenceCause cause, double seconds) {
  if (findings.silent) silence_seconds.at(static_cast<std::size_t>(cause)).add(seconds);
  if (findings.clipped_samples > 0) clipped_samples.add(static_cast<double>(findings.clipped_samples));
  if (findings.discontinuous) discontinuities.add();
}

void AudioMetrics::show_level(double peak_level, std::optional<double> loudness) {
  peak.set(peak_level);
  loudness_lufs.set(loudness);
}

void AudioMetrics::clear_level() {
  peak.clear();
  loudness_lufs.clear();
}

AudioMetrics declare_audio_metrics(MetricBinder& m, const std::string& at, const MetricLabel& station) {
  const std::vector<MetricLabel> labels{station, {"at", at}};
  AudioMetrics metrics;
  metrics.peak = m.gauge("auralis_audio_peak",
                         "Largest sample of the station's audio over the last 3 s, of full scale, from 0 to "
                         "1; sent: absent without listeners",
                         labels);
  metrics.loudness_lufs = m.gauge("auralis_audio_loudness_lufs",
                                  "Short-term loudness of the station's audio over the last 3 s (EBU R 128), "
                                  "in LUFS, at least -70; sent: absent without listeners",
                                  labels);
  for (std::size_t cause = 0; cause < kSilenceCauses.size(); ++cause) {
    auto with_cause = labels;
    with_cause.push_back({"cause", std::string(kSilenceCauses.at(cause))});
    metrics.silence_seconds.at(cause) =
        m.sparse_counter("auralis_audio_silence_seconds_total",
                         "Audio of the station below -80 dBFS, in seconds: in place of missing chunks, with "
                         "all voices switched off, or for another reason",
                         with_cause);
  }
  metrics.clipped_samples = m.sparse_counter(
      "auralis_audio_clipped_samples_total",
      "Samples of the station at full scale, three or more in a row, counted per channel", labels);
  metrics.discontinuities = m.sparse_counter(
      "auralis_audio_discontinuities_total",
      "Chunks of the station whose beginning did not continue the one before: listeners heard a click",
      labels);
  return metrics;
}

}  // namespace auralis
