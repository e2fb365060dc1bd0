// SPDX-License-Identifier: MIT
#include "streamd/api/messages.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

namespace auralis {
namespace {

using Json = nlohmann::ordered_json;

// A float's own decimal digits, not those of the double next to it: 0.3, not 0.30000001192092896.
double own_digits(float number) {
  std::ostringstream text;
  text << number;
  return std::stod(text.str());
}

// A microsecond is finer than what is measured.
double rounded_ms(double ms) { return std::round(ms * 1e3) / 1e3; }

Json parameters_json(const MusicParameters& parameters) {
  Json json{{"key", kKeyNames.at(parameters.key)},
            {"mode", kModeNames.at(static_cast<std::size_t>(parameters.mode))}};
  for (const auto& control : kNumberControls) {
    json[std::string(control.name)] = own_digits(parameters.*control.member);
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

Json warning(const char* code, std::int64_t seq, const char* message) {
  return {{"type", "warning"}, {"code", code}, {"seq", seq}, {"message", message}};
}

Json playback_json(const PlaybackReport& report) {
  Json json{{"buffer_ms", rounded_ms(report.buffer_ms)}};
  if (report.way) json["way"] = kPlayerWayNames.at(static_cast<std::size_t>(*report.way));
  if (report.latency_ms) json["latency_ms"] = rounded_ms(*report.latency_ms);
  if (report.target_ms) json["target_ms"] = rounded_ms(*report.target_ms);
  if (report.least_buffer_ms) json["least_buffer_ms"] = rounded_ms(*report.least_buffer_ms);
  if (report.drift_ppm) json["drift_ppm"] = *report.drift_ppm;
  return json;
}

}  // namespace

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

std::string taken_back_message(std::uint64_t request, const MusicParameters& target) {
  return Json{{"type", "taken_back"},
              {"request", request},
              {"target", parameters_json(target)},
              {"message", "The change was reverted: synthd did not apply it."}}
      .dump();
}

std::string pong_message(const Ping& ping, double server_time) {
  return Json{{"type", "pong"}, {"client_time", Json::parse(ping.client_time)}, {"server_time", server_time}}
      .dump();
}

std::string underrun_message(std::int64_t seq) {
  return warning("underrun", seq, "The music was not rendered in time; this chunk is silence.").dump();
}

std::string skipped_message(std::int64_t seq) {
  return warning("skipped", seq, "Connection too slow: this chunk was skipped.").dump();
}

std::string stepped_down_message(std::int64_t seq, WireFormat format) {
  Json json = warning("stepped_down", seq, "Connection too slow: switched to Opus from this chunk on.");
  json["format"] = format_name(format);
  return json.dump();
}

std::string subscribed_message(std::string_view station, std::int64_t seq) {
  return Json{{"type", "subscribed"}, {"station", station}, {"seq", seq}}.dump();
}

std::string buffer_status_message(const BufferStatus& status) {
  Json json{
      {"type", "buffer_status"},
      {"format", format_name(status.format)},
      {"queued", status.queued},
      {"queued_bytes", status.queued_bytes},
      {"backlog_ms", rounded_ms(status.backlog_ms)},
      {"max_backlog_ms", status.max_backlog_ms},
      {"sent", status.sent},
      {"dropped", status.dropped},
  };
  if (status.rtt_ms) json["rtt_ms"] = rounded_ms(*status.rtt_ms);
  json["server_time"] = status.server_time;
  return json.dump();
}

std::string shutdown_warning_message(const ShutdownWarning& warning) {
  return Json{{"type", "shutdown_warning"},
              {"reason", "stopping"},
              {"closes_in_ms", warning.closes_in_ms},
              {"reconnect_after_ms", warning.reconnect_after_ms},
              {"message", "The server is shutting down and will close this connection; reconnect later."}}
      .dump();
}

std::string error_message(const MessageError& error) {
  Json json{{"type", "error"}, {"code", error.code}, {"message", error.message}};
  if (!error.in_reply_to.empty()) json["in_reply_to"] = error.in_reply_to;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string change_message(const ChangeResult& result) {
  if (const auto* accepted = std::get_if<Accepted>(&result))
    return accepted_message(accepted->request, accepted->target);
  return error_message(std::get<MessageError>(result));
}

Json presets_json() {
  Json presets = Json::array();
  for (const auto& preset : kPresets) {
    presets.push_back(Json{{"name", preset.name}, {"parameters", parameters_json(preset.parameters)}});
  }
  return presets;
}

std::string presets_body() { return Json{{"presets", presets_json()}}.dump(); }

std::string status_body(const std::vector<StationReport>& stations, const CapacityReport& capacity,
                        bool ready, bool with_presets) {
  Json list = Json::array();
  for (const StationReport& station : stations) {
    Json json = status_json(station.status, station.context);
    json.erase("type");
    json["depth_ms"] = station.depth_ms;
    json["permalink"] = "/?" + station.permalink;
    list.push_back(std::move(json));
  }
  Json body{{"version", AURALIS_VERSION},
            {"ready", ready},
            {"places",
             {{"total", capacity.total},
              {"free", capacity.free},
              {"personal", capacity.personal},
              {"opus_total", capacity.opus_total},
              {"opus_free", capacity.opus_free}}},
            {"download_minutes", capacity.download_minutes},
            {"stations", std::move(list)}};
  if (with_presets) body["presets"] = presets_json();
  return body.dump();
}

std::string listeners_body(const std::vector<ListenerReport>& listeners) {
  Json list = Json::array();
  for (const ListenerReport& listener : listeners) {
    Json json{
        {"id", listener.id},
        {"address", listener.address},
        {"station", listener.station},
        {"format", listener.format},
        {"transport", listener.transport},
        {"backlog_ms", rounded_ms(listener.backlog_ms)},
        {"queued", listener.queued},
        {"queued_bytes", listener.queued_bytes},
        {"sent", listener.sent},
        {"dropped", listener.dropped},
        {"bytes", listener.bytes},
    };
    if (listener.rtt_ms) json["rtt_ms"] = rounded_ms(*listener.rtt_ms);
    json["since"] = listener.since;
    if (listener.playback) json["playback"] = playback_json(*listener.playback);
    list.push_back(std::move(json));
  }
  return Json{{"listeners", std::move(list)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace auralis
