// SPDX-License-Identifier: MIT
// All metrics of streamd. docs/metrics.md is generated from these declarations.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/metrics/audio_metrics.h"
#include "common/metrics/metric_names.h"
#include "common/metrics/metrics.h"
#include "common/metrics/process_metrics.h"
#include "common/metrics/stage_metrics.h"
#include "common/metrics/station_labels.h"
#include "streamd/encode/wire_format.h"

namespace auralis {

// Why a connection ended; a label of websocket_disconnections_total.
enum class DisconnectReason {
  kClient,    // the client closed it
  kReset,     // it broke: the client reset it, or sending failed
  kIdle,      // no sign of life
  kBacklog,   // the client took no data
  kOperator,  // an operator closed it, or removed its station
  kDrain,     // the server stopped
  kError,     // the client broke the protocol or a limit, or its station could not be started
  kCrash,     // a former streamd was killed
};
inline constexpr std::size_t kDisconnectReasons = 8;
std::string_view disconnect_reason_name(DisconnectReason reason);

// The stations whose listeners are counted together: a configured one by the index of its label, or these.
inline constexpr std::size_t kPersonalGroup = kStationLabels;
inline constexpr std::size_t kNoGroup = kStationLabels + 1;  // not known yet, or ended
inline constexpr std::size_t kListenerGroups = kStationLabels + 2;

class StreamMetrics {
  MetricBinder& m_;

 public:
  // Of one configured station, or the sums of all personal ones.
  struct StationMetrics {
    Counter underruns;
    std::optional<AudioMetrics> sent_audio{};  // of a configured station
  };
  // Of a group's listeners, by WireFormat. The seconds of both formats of Opus are one counter.
  struct ListenerMetrics {
    std::array<Gauge, kWireFormats> connected;
    std::array<Counter, kWireFormats> seconds;
  };

  explicit StreamMetrics(MetricBinder& m);

  // Readers see all changes that are made while the result lives at once.
  [[nodiscard]] MetricsUpdate atomic_update() { return MetricsUpdate(m_); }

  Histogram delivery_latency_ms =
      m_.histogram("audio_chunk_delivery_latency_ms",
                   "Time from a chunk's due time at a listener until the "
                   "kernel accepted its last byte, or the chunk was lost, in "
                   "milliseconds",
                   {0.5, 1, 2.5, 5, 10, 25, 50, 75, 100, 150, 200, 500, 1000, 2000, 5000});
  Histogram handover_latency_ms = m_.histogram(
      "auralis_chunk_handover_latency_ms",
      "Time from a chunk's due time at a listener until it was handed to the listener's queue or socket, in "
      "milliseconds: streamd's part of the delivery, without the listener's connection",
      {0.5, 1, 2.5, 5, 10, 25, 50, 75, 100, 150, 200, 500, 1000, 2000, 5000});
  Histogram end_to_end_latency_ms = m_.histogram(
      "audio_end_to_end_latency_ms",
      "Time from a chunk's due time until the listener's sound card plays it, less the audio that the player "
      "has buffered, in milliseconds, as reported by players",
      {10, 25, 50, 75, 100, 150, 200, 300, 500, 1000, 2000});
  Histogram player_buffer_ms = m_.histogram("auralis_player_buffer_ms",
                                            "Audio buffered in a player, in milliseconds, as reported by it",
                                            {50, 200, 500, 1000, 2000, 5000});
  Counter player_underruns =
      m_.counter("auralis_player_underruns_total", "Times that a player ran dry, as reported by players");
  Counter player_gaps =
      m_.counter("auralis_player_gaps_total",
                 "Chunks that a player did not receive, or received as silence, as reported by players");
  Counter player_skips =
      m_.counter("auralis_player_skips_total",
                 "Times that a player dropped buffered audio to catch up, as reported by players");
  Counter player_listened_ms = m_.counter(
      "auralis_player_listened_ms_total",
      "Time that players have played, from their first sound on, in milliseconds, as reported by them");
  Counter player_silence_ms = m_.counter(
      "auralis_player_silence_ms_total",
      "Time of that in which the listener had no music, because a player ran dry or chunks were missing, in "
      "milliseconds, as reported by players");
  Histogram player_startup_ms =
      m_.histogram("auralis_player_startup_ms",
                   "Time from the press of play to the first sound, in milliseconds, as reported by players",
                   {500, 1000, 2000, 4000, 8000});
  Histogram startup_latency_ms =
      m_.histogram("audio_startup_latency_ms",
                   "Time from an accepted connection to its first sent audio byte, in milliseconds",
                   {1, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 3000, 5000});
  Histogram jitter_ms = m_.histogram("audio_chunk_jitter_ms",
                                     "Absolute difference between the interval of two sends to a listener "
                                     "and the duration of a chunk, in milliseconds",
                                     {1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 500, 1000, 2000, 5000});
  Counter send_intervals =
      m_.counter(kSendIntervals, "Intervals between two sends to a listener, counted per listener");
  Counter send_late_ms = m_.counter(
      kSendLateMs,
      "Sum of the amounts by which send intervals exceeded the duration of a chunk, in milliseconds");
  Counter send_early_ms = m_.counter(
      kSendEarlyMs,
      "Sum of the amounts by which send intervals fell short of the duration of a chunk, in milliseconds");
  Counter send_deviation_squares =
      m_.counter(kSendDeviationSquares, "Sum of the squares of both amounts, in square milliseconds");

  Counter overruns =
      m_.counter("ring_buffer_overruns_total",
                 "Times that streamd was so late that it skipped chunks, of all stations alike");

  Histogram copy_ms = stage_latency(m_, "copy");
  Histogram encode_ms = stage_latency(m_, "encode");
  Histogram send_ms = stage_latency(m_, "send");
  Histogram wakeup_ms = wakeup_latency(m_, "streamd");

  StationMetrics personal = of({"station", std::string(kPersonalLabel)});
  std::array<StationMetrics, kStationLabels> configured;  // by StationLabels

  Counter chunks_due = m_.counter(
      kChunksDue,
      "Audio chunks that fell due to listeners since their first, counted per listener: the sum of sent, "
      "dropped and queued ones");
  Counter chunks_sent = m_.counter("websocket_chunks_sent_total", "Audio chunks sent, counted per listener");
  Counter chunks_on_time =
      m_.counter(kChunksOnTime, "Audio chunks sent within a second of their due time, counted per listener");
  Counter send_errors = m_.counter("websocket_send_errors_total",
                                   "Audio chunks whose transmission failed, counted per listener");
  Counter dropped_backlog = dropped("backlog");
  Counter dropped_step_down = dropped("step_down");
  Counter dropped_disconnect = dropped("disconnect");
  Counter dropped_error = dropped("error");
  Counter dropped_encoding = dropped("encoding");
  Counter dropped_overrun = dropped("overrun");
  Counter encodes_late =
      m_.counter("auralis_encodes_late_total",
                 "Chunks of a station not yet encoded in Opus when due to the first listener; sent once "
                 "encoded, or dropped");
  Counter stepped_down =
      m_.counter("auralis_listeners_stepped_down_total",
                 "Listeners switched from PCM to Opus because their connection was too slow");
  Counter messages_dropped = m_.counter("auralis_messages_dropped_total",
                                        "JSON messages to listeners dropped because too many were queued");
  Gauge chunks_queued =
      m_.gauge("auralis_chunks_queued", "Audio chunks queued or being sent, summed over all listeners");
  Gauge listeners_behind =
      m_.gauge("auralis_listeners_behind", "Listeners whose oldest chunk has waited for more than 500 ms");
  Counter bytes_sent = m_.counter(kBytesSent, "Bytes sent to listeners over WebSocket and HTTP");

  // Set by ListenerLedger.
  Gauge active_connections = m_.gauge("websocket_active_connections", "Listeners connected");
  Gauge listeners_peak = m_.gauge("auralis_listeners_peak",
                                  "Most listeners that were connected at a time since streamd started");
  Gauge message_connections =
      m_.gauge("auralis_message_connections",
               "Connections for messages alone, whose clients hear their station over plain HTTP");
  std::array<ListenerMetrics, kListenerGroups> listeners;  // none for a format without audio
  Counter connections = m_.counter("websocket_connections_total", "Listeners accepted");
  std::array<Counter, kDisconnectReasons> disconnections;  // by DisconnectReason
  Counter& disconnected(DisconnectReason reason) {
    return disconnections.at(static_cast<std::size_t>(reason));
  }
  // All disconnections.
  double disconnected() const;
  // Of all listeners.
  double listener_seconds() const;
  // Of one reason for which connections are refused.
  struct Rejection {
    std::string reason;
    Counter counter;
  };
  Rejection rejected_limit = rejected("limit");
  Rejection rejected_address = rejected("address");
  Rejection rejected_rate = rejected("rate");
  Rejection rejected_address_rate = rejected("address_rate");
  Rejection rejected_tls_rate = rejected("tls_rate");
  Rejection rejected_timeout = rejected("timeout");
  Rejection rejected_origin = rejected("origin");
  Rejection rejected_ticket = rejected("ticket");
  Rejection rejected_path = rejected("path");
  Rejection rejected_protocol = rejected("protocol");
  Rejection rejected_station = rejected("station");
  Rejection rejected_places = rejected("places");
  Rejection rejected_encoders = rejected("encoders");
  Histogram connection_seconds =
      m_.histogram("websocket_connection_duration_seconds", "Duration of listeners' connections, in seconds",
                   {1, 5, 15, 60, 300, 900, 3600, 14400, 86400});

  Counter control_accepted =
      m_.counter("auralis_control_messages_total", "Messages from listeners and control requests, by result",
                 {{"result", "accepted"}});
  Counter control_refused =
      m_.counter("auralis_control_messages_total", "Messages from listeners and control requests, by result",
                 {{"result", "refused"}});

  Counter downloads_complete = download("complete");
  Counter downloads_aborted = download("aborted");
  Counter downloads_failed = download("failed");
  Counter downloads_refused = download("refused");

  Gauge station_capacity =
      m_.gauge("auralis_station_places", "Capacity of synthd for stations, configured and personal");
  Gauge configured_stations = m_.gauge("auralis_stations", "Stations playing", {{"kind", "configured"}});
  Gauge personal_stations = m_.gauge("auralis_stations", "Stations playing", {{"kind", "personal"}});
  Gauge opus_station_capacity =
      m_.gauge("auralis_opus_station_places", "Capacity for personal stations encoded in Opus");
  Gauge opus_stations = m_.gauge("auralis_opus_stations", "Personal stations with a reserved Opus encoder");

  ProcessMetrics process{m_, "streamd"};

 private:
  Counter dropped(const std::string& reason);
  Rejection rejected(const std::string& reason);
  Counter download(const std::string& result);
  StationMetrics of(const MetricLabel& label);
  ListenerMetrics listeners_of(const MetricLabel& label);
};

}  // namespace auralis
