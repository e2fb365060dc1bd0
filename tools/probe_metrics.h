// SPDX-License-Identifier: MIT
// All metrics of auralis-probe: the latest result of each stream that it checks, a station in a format.
// docs/metrics.md is generated from these declarations.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "common/metrics/late_labels.h"
#include "common/metrics/metric_names.h"
#include "common/metrics/metrics.h"

namespace auralis {

// Streams whose results are kept: more would be too many series.
inline constexpr std::size_t kProbedStreams = 8;

// Their names are kept in late labels, the station of stream `i` in `i`.
constexpr std::size_t probe_format_label(std::size_t stream) { return kProbedStreams + stream; }
static_assert(2 * kProbedStreams <= kLateLabels);

inline constexpr const char* kProbeSnr = "auralis_probe_snr_db";

class ProbeMetrics {
  MetricBinder& m_;

 public:
  struct Stream {
    Gauge success;
    Gauge last_run_seconds;
    Gauge chunks_received;
    Gauge chunks_wrong;
    Gauge snr_db;
  };

  explicit ProbeMetrics(MetricBinder& m) : m_(m) {
    for (std::size_t i = 0; i < kProbedStreams; ++i) {
      const std::vector<MetricLabel> labels{late_label("station", i),
                                            late_label("format", probe_format_label(i))};
      Stream& stream = streams.at(i);
      stream.success =
          m_.gauge(kProbeSuccess,
                   "1 if auralis-probe found the station right when it last listened to it, 0 if "
                   "not, or if it could not listen",
                   labels);
      stream.last_run_seconds =
          m_.gauge(kProbeLastRun, "Time at which auralis-probe last listened, in seconds since 1970", labels);
      stream.chunks_received =
          m_.gauge(kProbeChunksReceived,
                   "Chunks of the station that auralis-probe received when it last listened", labels);
      stream.chunks_wrong =
          m_.gauge(kProbeChunksWrong,
                   "Chunks of the station that were wrong when auralis-probe last listened: silence in "
                   "place of music, missing between others, or, in PCM, other music",
                   labels);
      stream.snr_db =
          m_.gauge(kProbeSnr,
                   "What auralis-probe received when it last listened, against its difference from the "
                   "station's music, in the worst second, in decibels; absent if nothing differed",
                   labels);
    }
  }

  std::array<Stream, kProbedStreams> streams;
};

}  // namespace auralis
