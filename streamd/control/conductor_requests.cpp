// SPDX-License-Identifier: MIT
// Answers what listeners and operators request of the conductor.
#include <algorithm>
#include <cassert>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/log.h"
#include "streamd/control/conductor.h"

namespace auralis {
namespace {

constexpr std::size_t kMostHeld = 8;  // changes for a station that does not play yet
constexpr std::string_view kNotStarted = "The station of this change could not be started.";
constexpr std::string_view kTooManyHeld = "Too many changes wait for the station; try again when it plays.";

// The values of a change, for the log: "bpm=70 pads=off".
std::string text_of(const ParameterPatch& patch) {
  std::ostringstream text;
  const auto add = [&text](std::string_view name, const auto& value) {
    text << (text.tellp() > 0 ? " " : "") << name << '=' << value;
  };
  if (patch.key) add("key", kKeyNames.at(*patch.key));
  if (patch.mode) add("mode", kModeNames.at(static_cast<std::size_t>(*patch.mode)));
  for (std::size_t i = 0; i < patch.numbers.size(); ++i) {
    if (patch.numbers.at(i)) add(kNumberControls.at(i).name, *patch.numbers.at(i));
  }
  for (std::size_t i = 0; i < patch.voice_groups.size(); ++i) {
    if (patch.voice_groups.at(i)) add(kVoiceGroupNames.at(i), *patch.voice_groups.at(i) ? "on" : "off");
  }
  return text.str();
}

std::string change_text(const ClientMessage& change) {
  if (const auto* const patch = std::get_if<ParameterPatch>(&change)) return text_of(*patch);
  return "preset=" + std::string(std::get<PresetChoice>(change).preset->name);
}

}  // namespace

void Conductor::change(ConnectionId id, const ClientMessage& message) {
  assert(checker_.is_current());
  if (waits_for_format(id)) return pending_[id].requests.push_back(message);
  change_now(id, message);
}

void Conductor::change_now(ConnectionId id, const ClientMessage& message) {
  const auto* const listener = subscriptions_.find(id);
  if (listener == nullptr) return;
  const auto pending = pending_.find(id);
  if (pending != pending_.end() && pending->second.station) {
    auto& held = pending->second.station->changes;
    if (!pump_.reader().segment().writer_alive()) return refuse_change(id, message, kNotStarted);
    if (held.size() >= kMostHeld) return refuse_change(id, message, kTooManyHeld);
    return held.push_back(message);
  }
  const ChangeResult result = change_station(message, listener->station, listener->actor);
  count(result, GroupedLog::Event::kMessageRefused, listener->actor);
  send(*listener, id, change_message(result));
}

// Changes that were held for a station that did not come.
void Conductor::refuse_changes(ConnectionId id, const PendingStation& waited) {
  for (const ClientMessage& message : waited.changes) refuse_change(id, message, kNotStarted);
}
void Conductor::refuse_change(ConnectionId id, const ClientMessage& message, std::string_view why) {
  metrics_.control_refused.add();
  refuse(id, {"unavailable", std::string(why), std::string(type_of(message))});
}

void Conductor::refuse(ConnectionId id, const MessageError& error) {
  const auto* const listener = subscriptions_.find(id);
  if (listener == nullptr) return;
  context_.grouped_log.note(GroupedLog::Event::kMessageRefused, error.code, listener->actor);
  send(*listener, id, error_message(error));
}

void Conductor::send_status(ConnectionId id) {
  assert(checker_.is_current());
  const auto* const listener = subscriptions_.find(id);
  if (listener == nullptr) return;
  const auto status = stations_.status(listener->station);
  send(*listener, id,
       status ? status_message(*status, status_context(listener->station), format_name(listener->format))
              : error_message({"unavailable", "The station is not playing yet.", "status"}));
}

void Conductor::send(const Subscriptions::Listener& listener, ConnectionId id, const std::string& text) {
  worker_of(listener).send_text(id, make_text_message(text));
}

void Conductor::relay(std::size_t worker, ConnectionId id, const WireMessagePtr& message) {
  assert(checker_.is_current());
  workers_.at(worker).send_text(id, message);
}

void Conductor::respond(const HttpCaller& caller, HttpResponse response) {
  workers_.at(caller.worker).respond(caller.connection, std::move(response));
}

ChangeResult Conductor::change_station(const ClientMessage& message, const StationId& station,
                                       const std::string& actor) {
  const std::string type(type_of(message));
  const StationState* const state = stations_.find(station);
  if (state != nullptr && state->open == 0)
    return MessageError{"not_allowed", "This station is not open to changes; start a personal one.", type};
  const auto* patch = std::get_if<ParameterPatch>(&message);
  const auto accepted = patch != nullptr ? stations_.change(station, *patch)
                                         : stations_.choose(station, *std::get<PresetChoice>(message).preset);
  if (accepted) {
    log_info(
        "music changed",
        {{"station", directory_->logged_name(station)}, {"actor", actor}, {"change", change_text(message)}});
    return *accepted;
  }
  return MessageError{"unavailable", "The music cannot be changed now: synthd is not running.", type};
}

void Conductor::count(const ChangeResult& result, GroupedLog::Event event, const std::string& actor) {
  const auto* const error = std::get_if<MessageError>(&result);
  (error == nullptr ? metrics_.control_accepted : metrics_.control_refused).add();
  if (error != nullptr) context_.grouped_log.note(event, error->code, actor);
}

void Conductor::answer_control(const HttpCaller& caller, const ChangeRequest& request) {
  assert(checker_.is_current());
  const ChangeResult result = control(request, caller.actor);
  const bool by_operator = caller.actor == kOperatorActor;
  count(result, by_operator ? GroupedLog::Event::kOperatorRefused : GroupedLog::Event::kControlRefused,
        caller.actor);
  respond(caller, change_response(result));
}

ChangeResult Conductor::control(const ChangeRequest& request, const std::string& actor) {
  if (const auto* error = std::get_if<MessageError>(&request.message)) return *error;
  try {
    const StationId station = request.station ? station_by_name(*directory_, *request.station).id
                                              : stations_.default_station().value_or(StationId{});
    return change_station(request.message, station, actor);
  } catch (const StationRefusal& refusal) {
    return MessageError{std::string(refusal.code()), refusal.sentence, std::string(type_of(request.message))};
  }
}

void Conductor::answer_status(const HttpCaller& caller, const QueryFields& query) {
  assert(checker_.is_current());
  respond(caller, status_response(query));
}

// All configured stations, or the one that the query names: a personal station is reported only to a client
// that knows its name.
HttpResponse Conductor::status_response(const QueryFields& query) {
  std::vector<StationId> stations = stations_.configured();
  bool with_presets = false;
  try {
    const QueryFields::Fields& fields = query.fields();
    with_presets = fields.count("presets") > 0;
    if (const auto name = fields.find("station"); name != fields.end())
      stations = {station_by_name(*directory_, name->second).id};
  } catch (const StationRefusal& refusal) {
    return error_response(refusal.status(), {std::string(refusal.code()), refusal.sentence, {}});
  } catch (const QueryError& error) {
    return error_response(400, {"bad_query", error.what(), {}});
  }
  std::vector<StationReport> reports;
  for (const StationId& station : stations) {
    const auto status = stations_.status(station);
    if (!status) continue;
    const double depth_ms = pump_.has_timeline() ? pump_.depth_ms(station) : 0;
    reports.push_back({*status, status_context(station), depth_ms, stations_.permalink(station)});
  }
  const CapacityReport report{stations_.capacity(),     stations_.free_capacity(),
                              stations_.personal(),     context_.encoders.total(),
                              context_.encoders.free(), context_.download_minutes()};
  return {200, "application/json", status_body(reports, report, pump_.flowing(), with_presets), {}, false};
}

void Conductor::answer_close(const HttpCaller& caller, ConnectionId listener) {
  assert(checker_.is_current());
  const auto* const found = subscriptions_.find(listener);
  if (found == nullptr) {
    context_.grouped_log.note(GroupedLog::Event::kOperatorRefused, "unknown_listener", caller.actor);
    return respond(caller,
                   error_response(404, {"unknown_listener", "No such listener; see /api/listeners.", {}}));
  }
  log_info("listener closed by an operator",
           {{"listener", static_cast<std::int64_t>(listener)}, {"actor", caller.actor}});
  worker_of(*found).close(listener, close_code::kOperator, "closed by an operator");
  respond(caller, {204, "application/json", {}, {}, false});
}

void Conductor::answer_listeners(const HttpCaller& caller) {
  assert(checker_.is_current());
  const std::uint64_t collection = ++last_collection_;
  collections_[collection] = {caller, workers_.size(), {}};
  for (WorkerProxy& worker : workers_) worker.report_listeners(collection);
}

void Conductor::add_reports(std::uint64_t collection, const std::vector<ListenerReport>& reports) {
  assert(checker_.is_current());
  const auto found = collections_.find(collection);
  assert(found != collections_.end());
  ReportCollection& collected = found->second;
  collected.reports.insert(collected.reports.end(), reports.begin(), reports.end());
  if (--collected.missing > 0) return;
  respond(collected.caller, {200, "application/json", listeners_body(collected.reports), {}, false});
  collections_.erase(found);
}

}  // namespace auralis
