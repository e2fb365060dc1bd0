// SPDX-License-Identifier: MIT
// The JSON messages of docs/protocol.md, in (messages_in.cpp) and out (messages_out.cpp), and the JSON bodies
// of HTTP. Pure functions; any thread. Nothing else in streamd knows their JSON.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/music/music_parameters.h"
#include "common/music/timeline.h"
#include "streamd/encode/wire_format.h"

namespace auralis {

// A change of some of the parameters.
struct ParameterPatch {
  std::optional<std::uint8_t> key;
  std::optional<Mode> mode;
  std::array<std::optional<float>, kNumberControls.size()> numbers;       // in the order of kNumberControls
  std::array<std::optional<bool>, kVoiceGroupNames.size()> voice_groups;  // in the order of VoiceGroup

  MusicParameters applied_to(MusicParameters parameters) const;
};

struct PresetChoice {
  const Preset* preset = nullptr;
};

struct Ping {
  std::string client_time;  // the number as JSON text, returned as it came
};

// How a player makes sound: on an audio thread of the page's, or by an <audio> element.
enum class PlayerWay { kWorklet, kElement };
inline constexpr std::array<std::string_view, 2> kPlayerWayNames{"worklet", "element"};  // by PlayerWay

struct PlaybackReport {
  std::optional<double> latency_ms;  // an <audio> element does not know it
  double buffer_ms = 0;
  // Since the player's last report; an old player does not report them.
  double underruns = 0;
  double gaps = 0;
  double skips = 0;
  double silence_ms = 0;   // of these the listener had no music
  double listened_ms = 0;  // from its first sound on
  // From the press of play to the first sound; in one report only.
  std::optional<double> startup_ms{};
  // What follows an older player does not report.
  std::optional<PlayerWay> way{};
  std::optional<double> target_ms{};        // that it wants to have buffered
  std::optional<double> least_buffer_ms{};  // since its last report
  std::optional<double> drift_ppm{};        // by which its sound card runs faster than the server's clock
};

// The listener wants to know how its station is.
struct StatusRequest {};

// Requests of a listener for its own queue; at least one of them is set.
struct BufferControl {
  std::optional<std::int64_t> max_backlog_ms;  // age from which on its queued chunks are left out
  bool flush = false;                          // what is queued now is dropped
  std::optional<WireFormat> format;            // to hear from now on

  static constexpr std::int64_t kMinBacklogMs = 200;
  static constexpr std::int64_t kMaxBacklogMs = 10'000;
};

// Another station for a listener: the one of that name, or what a query of /ws/stream asks for.
struct Subscribe {
  std::optional<std::string> station;  // either this
  std::optional<std::string> query;    // or this, without its question mark
  std::optional<std::string> ticket;
};

// Why a message was refused: one of the protocol's codes, and a sentence.
struct MessageError {
  std::string code;
  std::string message;
  std::string in_reply_to;  // type of the refused message; empty where it has none that is known
};

// A change of parameters that was accepted.
struct Accepted {
  std::uint64_t request = 0;  // its number, by which a status tells when it is in force
  MusicParameters target;     // what the station goes to
};

// Outcome of a request for a change. Over WebSocket it is rendered by change_message(), over HTTP by
// change_response().
using ChangeResult = std::variant<Accepted, MessageError>;

using ClientMessage = std::variant<ParameterPatch, PresetChoice, Ping, PlaybackReport, StatusRequest,
                                   BufferControl, Subscribe, MessageError>;

// A message of a listener. Never throws: whatever is wrong is a MessageError.
ClientMessage parse_client_message(std::string_view text);

// The message's field `type`; empty where it was refused without having one that is known.
std::string_view type_of(const ClientMessage& message);

// The body of a control request: as above, but nothing other than a change of parameters is known, and it may
// name its station.
struct ChangeRequest {
  ClientMessage message;
  std::optional<std::string> station;
};
ChangeRequest parse_change_request(std::string_view text);

// State of a station, as reported to listeners and operators.
struct StationStatus {
  std::string station;
  bool personal = false;
  bool open = false;  // whether its listeners may change it
  std::uint64_t seed = 0;
  MusicParameters in_force;  // at the rendering position
  MusicParameters target;    // as asked for
  std::uint64_t request = 0;
  std::int64_t bar = 0;           // likewise
  std::int64_t sample_index = 0;  // the station's frame that is due now
};
// Compares everything except `bar` and `sample_index`, which change all the time.
bool operator==(const StationStatus& a, const StationStatus& b);

// Contents of a status message besides the state of its station.
struct StatusContext {
  Timeline timeline;
  std::size_t listeners = 0;  // of the station
  double server_time = 0;     // Unix seconds
};

// `subprotocol` is left out where it is empty.
std::string status_message(const StationStatus& status, const StatusContext& context,
                           std::string_view subprotocol);
std::string accepted_message(std::uint64_t request, const MusicParameters& target);
// No request up to that one is still to come into force; the station goes on to `target`.
std::string taken_back_message(std::uint64_t request, const MusicParameters& target);
std::string pong_message(const Ping& ping, double server_time);
std::string underrun_message(std::int64_t seq);
std::string skipped_message(std::int64_t seq);
// The listener gets `format` from chunk `seq` on, since its connection is too slow for what it had.
std::string stepped_down_message(std::int64_t seq, WireFormat format);
// It hears that station from chunk `seq` on.
std::string subscribed_message(std::string_view station, std::int64_t seq);
std::string error_message(const MessageError& error);
std::string change_message(const ChangeResult& result);  // accepted or error

// How a listener's queue stands.
struct BufferStatus {
  WireFormat format = WireFormat::kJson;
  std::size_t queued = 0;  // chunks
  std::size_t queued_bytes = 0;
  double backlog_ms = 0;            // age of the oldest that is queued
  std::int64_t max_backlog_ms = 0;  // age from which on they are left out
  std::uint64_t sent = 0;           // chunks, since the listener came
  std::uint64_t dropped = 0;        // likewise
  std::optional<double> rtt_ms;     // from a ping of the server to its pong, once there was one
  double server_time = 0;           // Unix seconds
};
std::string buffer_status_message(const BufferStatus& status);

// The server is shutting down.
struct ShutdownWarning {
  std::int64_t closes_in_ms = 0;        // at the latest
  std::int64_t reconnect_after_ms = 0;  // not before, so that all do not come at once
};
std::string shutdown_warning_message(const ShutdownWarning& warning);

// Bodies of GET /api/presets, /api/status and /api/listeners.
std::string presets_body();

struct StationReport {
  StationStatus status;
  StatusContext context;
  double depth_ms = 0;
  std::string permalink;  // a query
};
// Rows of the station table.
struct CapacityReport {
  std::size_t total = 0;
  std::size_t free = 0;
  std::size_t personal = 0;    // taken by personal stations
  std::size_t opus_total = 0;  // for personal stations that are encoded in Opus
  std::size_t opus_free = 0;
  std::int64_t download_minutes = 0;  // of the longest download; 0: none are offered
};
std::string status_body(const std::vector<StationReport>& stations, const CapacityReport& capacity,
                        bool ready, bool with_presets = false);

// State of a listener, as reported to operators.
struct ListenerReport {
  std::uint64_t id = 0;
  std::string address;
  std::string station;
  std::string format;     // name of the subprotocol; over plain HTTP, ending of the path
  std::string transport;  // websocket or http
  double backlog_ms = 0;  // this and the following as in BufferStatus
  std::size_t queued = 0;
  std::size_t queued_bytes = 0;
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;
  std::uint64_t bytes = 0;  // sent, with framing
  std::optional<double> rtt_ms;
  double since = 0;                          // when it came, Unix seconds
  std::optional<PlaybackReport> playback{};  // the newest of its player
};
std::string listeners_body(const std::vector<ListenerReport>& listeners);

}  // namespace auralis
