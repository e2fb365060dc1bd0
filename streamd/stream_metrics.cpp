// SPDX-License-Identifier: MIT
#include "streamd/stream_metrics.h"

namespace auralis {

StreamMetrics::StreamMetrics(MetricBinder& m) : m_(m) {
  for (std::size_t i = 0; i < configured.size(); ++i) {
    configured.at(i) = of(late_label("station", i));
    configured.at(i).sent_audio = declare_audio_metrics(m, "sent", late_label("station", i));
    listeners.at(i) = listeners_of(late_label("station", i));
  }
  listeners.at(kPersonalGroup) = listeners_of({"station", std::string(kPersonalLabel)});
  listeners.at(kNoGroup) = listeners_of({"station", "(none)"});  // no station can have that name
  for (std::size_t i = 0; i < disconnections.size(); ++i) {
    const std::string reason(disconnect_reason_name(static_cast<DisconnectReason>(i)));
    disconnections.at(i) = m_.counter("websocket_disconnections_total", "Listeners disconnected, by reason",
                                      {{"reason", reason}});
  }
  m_.require_counters(kDerivedFromStreamd);
}

double StreamMetrics::disconnected() const {
  double all = 0;
  for (const Counter& counter : disconnections) all += counter.value();
  return all;
}

std::string_view disconnect_reason_name(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::kClient:
      return "client";
    case DisconnectReason::kReset:
      return "reset";
    case DisconnectReason::kIdle:
      return "idle";
    case DisconnectReason::kBacklog:
      return "backlog";
    case DisconnectReason::kOperator:
      return "operator";
    case DisconnectReason::kDrain:
      return "drain";
    case DisconnectReason::kError:
      return "error";
    case DisconnectReason::kCrash:
      break;
  }
  return "crash";
}

StreamMetrics::ListenerMetrics StreamMetrics::listeners_of(const MetricLabel& label) {
  constexpr std::array<const char*, kWireFormats> kNames{"json", "pcm", "opus", "messages", "opus", "wav"};
  ListenerMetrics made;
  for (std::size_t i = 0; i < kWireFormats; ++i) {
    const auto format = static_cast<WireFormat>(i);
    if (!has_audio(format)) continue;
    made.connected.at(i) = m_.gauge(
        kStationListeners,
        "Listeners connected, by station, format and transport; (none): their station is not known yet, or "
        "has ended",
        {label, {"format", kNames.at(i)}, {"transport", is_plain_http(format) ? "http" : "websocket"}});
    if (format == WireFormat::kOggOpus) {
      made.seconds.at(i) = made.seconds.at(static_cast<std::size_t>(WireFormat::kOpus));
      continue;
    }
    made.seconds.at(i) = m_.sparse_counter("auralis_listener_seconds_total",
                                           "Time that listeners have been connected, summed, in seconds; "
                                           "(none) takes over that of stations that have ended",
                                           {label, {"format", kNames.at(i)}});
  }
  return made;
}

double StreamMetrics::listener_seconds() const {
  double all = 0;
  for (const ListenerMetrics& group : listeners) {
    for (std::size_t i = 0; i < kWireFormats; ++i) {
      const auto format = static_cast<WireFormat>(i);
      if (format != WireFormat::kOggOpus && has_audio(format)) all += group.seconds.at(i).value();
    }
  }
  return all;
}

Counter StreamMetrics::dropped(const std::string& reason) {
  return m_.counter("websocket_chunks_dropped_total",
                    "Audio chunks due and never sent, by reason, counted per listener", {{"reason", reason}});
}

StreamMetrics::Rejection StreamMetrics::rejected(const std::string& reason) {
  return {reason, m_.counter("websocket_connections_rejected_total", "Connections refused, by reason",
                             {{"reason", reason}})};
}

Counter StreamMetrics::download(const std::string& result) {
  return m_.sparse_counter(
      "auralis_downloads_total",
      "Downloads of music, by how they ended: complete, aborted by the client, failed, or "
      "refused because there were too many",
      {{"result", result}});
}

StreamMetrics::StationMetrics StreamMetrics::of(const MetricLabel& label) {
  return {m_.counter("ring_buffer_underruns_total",
                     "Chunks not in the ring when they were due; silence was sent instead", {label})};
}

}  // namespace auralis
