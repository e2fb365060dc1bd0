// SPDX-License-Identifier: MIT
#include "streamd/stream_metrics.h"

namespace auralis {

StreamMetrics::StreamMetrics(MetricBinder& m) : m_(m) {
  for (std::size_t i = 0; i < configured.size(); ++i) configured[i] = of(late_label("station", i));
  m_.require_counters(kDerivedFromStreamd);
}

Counter StreamMetrics::dropped(const std::string& reason) {
  return m_.counter("websocket_chunks_dropped_total",
                    "Audio chunks due and never sent, by reason, counted per listener", {{"reason", reason}});
}

Counter StreamMetrics::rejected(const std::string& reason) {
  return m_.counter("websocket_connections_rejected_total", "Connections refused, by reason",
                    {{"reason", reason}});
}

StreamMetrics::StationMetrics StreamMetrics::of(const MetricLabel& label) {
  return {m_.counter("ring_buffer_underruns_total",
                     "Chunks not in the ring when they were due; silence was sent instead", {label}),
          m_.counter("ring_buffer_overruns_total",
                     "Times that streamd was lapped: its chunk had been overwritten", {label})};
}

}  // namespace auralis
