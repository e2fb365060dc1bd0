// SPDX-License-Identifier: MIT
// The JSON messages of docs/protocol.md, in and out. Pure functions; the only file that knows their JSON.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/music_parameters.h"
#include "common/timeline.h"

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

struct PlaybackReport {
  double latency_ms = 0;
  double buffer_ms = 0;
};

// Why a message was refused: one of the protocol's codes, and a sentence.
struct MessageError {
  std::string code;
  std::string message;
  std::string in_reply_to;  // type of the refused message; empty where it has none that is known
};

using ClientMessage = std::variant<ParameterPatch, PresetChoice, Ping, PlaybackReport, MessageError>;

// A message of a listener. Never throws: whatever is wrong is a MessageError.
ClientMessage parse_client_message(std::string_view text);

// The body of a control request: as above, but nothing other than a change of parameters is known, and it may
// name its station.
struct ChangeRequest {
  ClientMessage message;
  std::optional<std::string> station;
};
ChangeRequest parse_change_request(std::string_view text);

// What listeners and operators are told of a station.
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
// But for what moves all the time, bar and sample_index.
bool operator==(const StationStatus& a, const StationStatus& b);

// What a status says beside its station.
struct StatusContext {
  Timeline timeline;
  std::size_t listeners = 0;  // of the station
  double server_time = 0;     // Unix seconds
};

// `subprotocol` is left out where it is empty.
std::string status_message(const StationStatus& status, const StatusContext& context,
                           std::string_view subprotocol);
std::string accepted_message(std::uint64_t request, const MusicParameters& target);
std::string pong_message(const Ping& ping, double server_time);
std::string underrun_message(std::int64_t seq);
std::string skipped_message(std::int64_t seq);
std::string error_message(const MessageError& error);

// Bodies of GET /api/presets and GET /api/status.
std::string presets_body();

struct StationReport {
  StationStatus status;
  StatusContext context;
  double depth_ms = 0;
  std::string permalink;  // a query
};
// Places of the station table.
struct PlacesReport {
  std::size_t total = 0;
  std::size_t free = 0;
  std::size_t personal = 0;  // taken by personal stations
};
std::string status_body(const std::vector<StationReport>& stations, const PlacesReport& places, bool ready);

}  // namespace auralis
