// SPDX-License-Identifier: MIT
#include "streamd/messages.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

namespace auralis {
namespace {

using Json = nlohmann::ordered_json;

struct Refusal {
  MessageError error;
};

[[noreturn]] void refuse(std::string code, std::string message) {
  throw Refusal{{std::move(code), std::move(message), {}}};
}

template <typename Names>
std::string list(const Names& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

std::string number_text(double number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

double number_field(const Json& object, std::string_view name, double min, double max) {
  const auto found = object.find(name);
  const std::string allowed = "a number from " + number_text(min) + " to " + number_text(max);
  if (found == object.end())
    refuse("bad_field", "The field " + std::string(name) + " is missing; it must be " + allowed + ".");
  if (!found->is_number())
    refuse("bad_field", "The field " + std::string(name) + " must be " + allowed + ".");
  const double value = found->get<double>();
  if (!(value >= min && value <= max)) {
    refuse("bad_field",
           "The field " + std::string(name) + " is " + found->dump() + "; it must be " + allowed + ".");
  }
  return value;
}

template <typename Names>
std::string choice_field(const Json& value, std::string_view name, const Names& names,
                         const char* code = "bad_field") {
  const bool known =
      value.is_string() && std::find(names.begin(), names.end(), value.get<std::string>()) != names.end();
  if (!known) refuse(code, "The field " + std::string(name) + " must be one of: " + list(names) + ".");
  return value.get<std::string>();
}

void only_fields(const Json& object, const std::vector<std::string_view>& allowed) {
  for (const auto& item : object.items()) {
    if (std::find(allowed.begin(), allowed.end(), item.key()) == allowed.end()) {
      refuse("bad_field", "The field " + item.key() + " is unknown; there are: " + list(allowed) + ".");
    }
  }
}

// One parameter into the patch; false if there is none of that name.
bool read_parameter(ParameterPatch& patch, const std::string& name, const Json& parameters) {
  const Json& value = parameters.at(name);
  if (name == "key") {
    patch.key = key_from_name(choice_field(value, name, kKeyNames));
    return true;
  }
  if (name == "mode") {
    patch.mode = mode_from_name(choice_field(value, name, kModeNames));
    return true;
  }
  for (std::size_t i = 0; i < kNumberControls.size(); ++i) {
    const NumberControl& control = kNumberControls[i];
    if (name != control.name) continue;
    const double number = number_field(parameters, name, control.min, control.max);
    // A millionth is finer than anybody hears, and short in a permalink; and a zero has no sign.
    patch.numbers[i] = static_cast<float>(std::round(number * 1e6) / 1e6 + 0.0);
    return true;
  }
  for (std::size_t i = 0; i < kVoiceGroupNames.size(); ++i) {
    if (name != kVoiceGroupNames[i]) continue;
    if (!value.is_boolean()) refuse("bad_field", "The field " + name + " must be true or false.");
    patch.voice_groups[i] = value.get<bool>();
    return true;
  }
  return false;
}

ParameterPatch parse_patch(const Json& message) {
  only_fields(message, {"type", "parameters"});
  const auto parameters = message.find("parameters");
  if (parameters == message.end() || !parameters->is_object() || parameters->empty()) {
    refuse("bad_field", "The field parameters must be an object with at least one parameter.");
  }
  ParameterPatch patch;
  for (const auto& item : parameters->items()) {
    if (read_parameter(patch, item.key(), *parameters)) continue;
    std::vector<std::string_view> names{"key", "mode"};
    for (const auto& control : kNumberControls) names.push_back(control.name);
    names.insert(names.end(), kVoiceGroupNames.begin(), kVoiceGroupNames.end());
    refuse("bad_field", "The parameter " + item.key() + " is unknown; there are: " + list(names) + ".");
  }
  return patch;
}

PresetChoice parse_preset(const Json& message) {
  only_fields(message, {"type", "preset"});
  std::array<std::string_view, kPresets.size()> names;
  std::transform(kPresets.begin(), kPresets.end(), names.begin(),
                 [](const Preset& preset) { return preset.name; });
  const Json value = message.value("preset", Json());
  const char* code = value.is_string() ? "unknown_preset" : "bad_field";
  return {find_preset(choice_field(value, "preset", names, code))};
}

Ping parse_ping(const Json& message) {
  only_fields(message, {"type", "client_time"});
  const auto time = message.find("client_time");
  if (time == message.end() || !time->is_number())
    refuse("bad_field", "The field client_time must be a number.");
  return {time->dump()};
}

PlaybackReport parse_report(const Json& message) {
  only_fields(message, {"type", "latency_ms", "buffer_ms"});
  return {number_field(message, "latency_ms", -1'000, 60'000), number_field(message, "buffer_ms", 0, 60'000)};
}

struct MessageType {
  std::string_view name;
  ClientMessage (*parse)(const Json& message);
};
constexpr std::array<MessageType, 4> kMessageTypes{{
    {"update_params", [](const Json& message) -> ClientMessage { return parse_patch(message); }},
    {"select_preset", [](const Json& message) -> ClientMessage { return parse_preset(message); }},
    {"ping", [](const Json& message) -> ClientMessage { return parse_ping(message); }},
    {"playback_report", [](const Json& message) -> ClientMessage { return parse_report(message); }},
}};
constexpr std::size_t kChangeTypes = 2;  // those that change parameters come first

// Knows the first `known` types. A field `station` is put into `station`, unless that is null.
ClientMessage parse(std::string_view text, std::size_t known, std::optional<std::string>* station) {
  const auto end = kMessageTypes.begin() + known;
  auto type = end;
  try {
    Json message = Json::parse(text, nullptr, false);
    if (message.is_discarded() || !message.is_object())
      refuse("bad_json", "The message must be a JSON object.");
    const Json name = message.value("type", Json());
    type = std::find_if(kMessageTypes.begin(), end, [&](const MessageType& one) { return name == one.name; });
    if (station != nullptr && message.contains("station")) {
      if (!message["station"].is_string()) refuse("bad_field", "The field station must be the name of one.");
      *station = message["station"].get<std::string>();
      message.erase("station");
    }
    if (type != end) return type->parse(message);
    std::vector<std::string_view> names;
    for (auto one = kMessageTypes.begin(); one != end; ++one) names.push_back(one->name);
    refuse("unknown_type", "The field type must be one of: " + list(names) + ".");
  } catch (Refusal& refusal) {
    if (type != end) refusal.error.in_reply_to = type->name;
    return refusal.error;
  }
}

Json parameters_json(const MusicParameters& parameters) {
  Json json{{"key", kKeyNames.at(parameters.key)},
            {"mode", kModeNames.at(static_cast<std::size_t>(parameters.mode))}};
  for (const auto& control : kNumberControls) {
    // A float's own decimal digits, not those of the double next to it: 0.3, not 0.30000001192092896.
    json[std::string(control.name)] = std::stod(number_text(static_cast<double>(parameters.*control.member)));
  }
  for (std::size_t i = 0; i < kVoiceGroupNames.size(); ++i) {
    json[std::string(kVoiceGroupNames[i])] = parameters.has(static_cast<VoiceGroup>(i));
  }
  return json;
}

Json status_json(const StationStatus& status, const StatusContext& context) {
  const Preset* preset = matching_preset(status.target);
  return {
      {"type", "status"},
      {"station", status.station},
      {"personal", status.personal},
      {"open", status.open},
      {"seed", status.seed},
      {"parameters", parameters_json(status.in_force)},
      {"target", parameters_json(status.target)},
      {"preset", preset != nullptr ? Json(preset->name) : Json()},
      {"request", status.request},
      {"bar", status.bar},
      {"sample_index", status.sample_index},
      {"sample_rate", context.timeline.sample_rate},
      {"channels", context.timeline.channels},
      {"chunk_ms", context.timeline.chunk_ns() / kNsPerMs},
      {"listeners", context.listeners},
      {"server_time", context.server_time},
  };
}

std::string warning(const char* code, std::int64_t seq, const char* message) {
  return Json{{"type", "warning"}, {"code", code}, {"seq", seq}, {"message", message}}.dump();
}

}  // namespace

MusicParameters ParameterPatch::applied_to(MusicParameters parameters) const {
  if (key) parameters.key = *key;
  if (mode) parameters.mode = *mode;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i]) parameters.*kNumberControls[i].member = *numbers[i];
  }
  for (std::size_t i = 0; i < voice_groups.size(); ++i) {
    if (!voice_groups[i]) continue;
    const auto bit = static_cast<std::uint8_t>(1U << i);
    parameters.voices =
        static_cast<std::uint8_t>(*voice_groups[i] ? parameters.voices | bit : parameters.voices & ~bit);
  }
  return parameters;
}

ClientMessage parse_client_message(std::string_view text) {
  return parse(text, kMessageTypes.size(), nullptr);
}

ChangeRequest parse_change_request(std::string_view text) {
  ChangeRequest request;
  request.message = parse(text, kChangeTypes, &request.station);
  return request;
}

bool operator==(const StationStatus& a, const StationStatus& b) {
  return a.station == b.station && a.personal == b.personal && a.open == b.open && a.seed == b.seed &&
         a.in_force == b.in_force && a.target == b.target && a.request == b.request;
}

std::string status_message(const StationStatus& status, const StatusContext& context,
                           std::string_view subprotocol) {
  Json json = status_json(status, context);
  if (!subprotocol.empty()) json["protocol"] = subprotocol;
  return json.dump();
}

std::string accepted_message(std::uint64_t request, const MusicParameters& target) {
  return Json{{"type", "accepted"}, {"request", request}, {"target", parameters_json(target)}}.dump();
}

std::string pong_message(const Ping& ping, double server_time) {
  return Json{{"type", "pong"}, {"client_time", Json::parse(ping.client_time)}, {"server_time", server_time}}
      .dump();
}

std::string underrun_message(std::int64_t seq) {
  return warning("underrun", seq, "The music was not rendered in time; this chunk is silence.");
}

std::string skipped_message(std::int64_t seq) {
  return warning("skipped", seq, "The connection is too slow; this chunk was left out.");
}

std::string error_message(const MessageError& error) {
  Json json{{"type", "error"}, {"code", error.code}, {"message", error.message}};
  if (!error.in_reply_to.empty()) json["in_reply_to"] = error.in_reply_to;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string presets_body() {
  Json presets = Json::array();
  for (const auto& preset : kPresets) {
    presets.push_back(Json{{"name", preset.name}, {"parameters", parameters_json(preset.parameters)}});
  }
  return Json{{"presets", std::move(presets)}}.dump();
}

std::string status_body(const std::vector<StationReport>& stations, const PlacesReport& places, bool ready) {
  Json list = Json::array();
  for (const StationReport& station : stations) {
    Json json = status_json(station.status, station.context);
    json.erase("type");
    json["depth_ms"] = station.depth_ms;
    json["permalink"] = "/?" + station.permalink;
    list.push_back(std::move(json));
  }
  return Json{{"version", AURALIS_VERSION},
              {"ready", ready},
              {"places", {{"total", places.total}, {"free", places.free}, {"personal", places.personal}}},
              {"stations", std::move(list)}}
      .dump();
}

}  // namespace auralis
