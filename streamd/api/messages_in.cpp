// SPDX-License-Identifier: MIT
#include "streamd/api/messages.h"

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

enum class Numbers { kAll, kWhole };

double number_field(const Json& object, std::string_view name, double min, double max,
                    Numbers numbers = Numbers::kAll) {
  const auto found = object.find(name);
  const std::string allowed = (numbers == Numbers::kWhole ? "an integer from " : "a number from ") +
                              number_text(min) + " to " + number_text(max);
  if (found == object.end())
    refuse("bad_field", "The field " + std::string(name) + " is missing; it must be " + allowed + ".");
  if (!found->is_number())
    refuse("bad_field", "The field " + std::string(name) + " must be " + allowed + ".");
  const double value = found->get<double>();
  const bool fits = numbers == Numbers::kAll || value == std::trunc(value);
  if (!(value >= min && value <= max) || !fits) {
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
    // Round to a millionth: inaudible, and short in a permalink. Adding 0.0 takes the sign from a negative
    // zero.
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

// A number of events; 0 if the field is left out.
double event_count_field(const Json& message, std::string_view name) {
  constexpr double kMostEvents = 1'000'000;
  return message.contains(name) ? number_field(message, name, 0, kMostEvents, Numbers::kWhole) : 0;
}

// Nothing if the field is left out.
std::optional<double> optional_field(const Json& message, std::string_view name, double min, double max) {
  if (!message.contains(name)) return std::nullopt;
  return number_field(message, name, min, max);
}

// Milliseconds; nothing if the field is left out.
std::optional<double> duration_field(const Json& message, std::string_view name) {
  constexpr double kDayMs = 86'400'000;
  return optional_field(message, name, 0, kDayMs);
}

std::optional<PlayerWay> way_field(const Json& message) {
  const auto way = message.find("way");
  if (way == message.end()) return std::nullopt;
  return choice_field(*way, "way", kPlayerWayNames) == kPlayerWayNames[0] ? PlayerWay::kWorklet
                                                                          : PlayerWay::kElement;
}

PlaybackReport parse_report(const Json& message) {
  only_fields(message, {"type", "latency_ms", "buffer_ms", "underruns", "gaps", "skips", "silence_ms",
                        "listened_ms", "startup_ms", "way", "target_ms", "least_buffer_ms", "drift_ppm"});
  constexpr double kMostBufferMs = 60'000;
  constexpr double kMostDriftPpm = 10'000;
  PlaybackReport report{optional_field(message, "latency_ms", -1'000, 60'000),
                        number_field(message, "buffer_ms", 0, kMostBufferMs),
                        event_count_field(message, "underruns"),
                        event_count_field(message, "gaps"),
                        event_count_field(message, "skips"),
                        duration_field(message, "silence_ms").value_or(0),
                        duration_field(message, "listened_ms").value_or(0),
                        duration_field(message, "startup_ms"),
                        way_field(message),
                        optional_field(message, "target_ms", 0, kMostBufferMs),
                        optional_field(message, "least_buffer_ms", 0, kMostBufferMs),
                        optional_field(message, "drift_ppm", -kMostDriftPpm, kMostDriftPpm)};
  if (report.silence_ms > report.listened_ms)
    refuse("bad_field", "The field silence_ms must not exceed listened_ms.");
  return report;
}

StatusRequest parse_status_request(const Json& message) {
  only_fields(message, {"type"});
  return {};
}

BufferControl parse_buffer_control(const Json& message) {
  only_fields(message, {"type", "max_backlog_ms", "flush", "format"});
  BufferControl control;
  if (message.contains("max_backlog_ms")) {
    control.max_backlog_ms =
        static_cast<std::int64_t>(number_field(message, "max_backlog_ms", BufferControl::kMinBacklogMs,
                                               BufferControl::kMaxBacklogMs, Numbers::kWhole));
  }
  if (message.contains("flush")) {
    if (message["flush"] != true) refuse("bad_field", "The field flush must be true, or left out.");
    control.flush = true;
  }
  if (message.contains("format"))
    control.format = format_from_subprotocol(choice_field(message["format"], "format", kSubprotocols));
  if (!control.max_backlog_ms && !control.flush && !control.format)
    refuse("bad_field", "The message must have at least one of the fields: max_backlog_ms, flush, format.");
  return control;
}

std::optional<std::string> text_field(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  if (!found->is_string()) refuse("bad_field", "The field " + std::string(name) + " must be a text.");
  return found->get<std::string>();
}

Subscribe parse_subscribe(const Json& message) {
  only_fields(message, {"type", "station", "query", "ticket"});
  Subscribe subscribe{text_field(message, "station"), text_field(message, "query"),
                      text_field(message, "ticket")};
  if (subscribe.station.has_value() == subscribe.query.has_value())
    refuse("bad_field", "The message must have one of the fields: station, query.");
  return subscribe;
}

// In the order of ClientMessage.
struct MessageType {
  std::string_view name;
  ClientMessage (*parse)(const Json& message);
};
constexpr std::array<MessageType, 7> kMessageTypes{{
    {"update_params", [](const Json& message) -> ClientMessage { return parse_patch(message); }},
    {"select_preset", [](const Json& message) -> ClientMessage { return parse_preset(message); }},
    {"ping", [](const Json& message) -> ClientMessage { return parse_ping(message); }},
    {"playback_report", [](const Json& message) -> ClientMessage { return parse_report(message); }},
    {"status", [](const Json& message) -> ClientMessage { return parse_status_request(message); }},
    {"buffer_control", [](const Json& message) -> ClientMessage { return parse_buffer_control(message); }},
    {"subscribe", [](const Json& message) -> ClientMessage { return parse_subscribe(message); }},
}};
static_assert(kMessageTypes.size() + 1 == std::variant_size_v<ClientMessage>, "all but MessageError");
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

std::string_view type_of(const ClientMessage& message) {
  if (const auto* error = std::get_if<MessageError>(&message)) return error->in_reply_to;
  return kMessageTypes.at(message.index()).name;
}

ChangeRequest parse_change_request(std::string_view text) {
  ChangeRequest request;
  request.message = parse(text, kChangeTypes, &request.station);
  return request;
}

}  // namespace auralis
