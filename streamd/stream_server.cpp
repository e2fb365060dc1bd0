// SPDX-License-Identifier: MIT
#include "streamd/stream_server.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "common/log.h"
#include "common/metrics_segment.h"
#include "streamd/chunk_pump.h"
#include "streamd/descriptors.h"
#include "streamd/http_api.h"
#include "streamd/hub.h"
#include "streamd/paced_delivery.h"
#include "streamd/stations.h"
#include "streamd/stream_metrics.h"
#include "streamd/websocket_server.h"

namespace auralis {
namespace {

constexpr std::size_t kNetworkLane = 0;
constexpr std::size_t kHousekeepingLane = 1;
constexpr std::size_t kLanes = 2;
constexpr std::int64_t kRefreshNs =
    100 * kNsPerMs;  // how often to look for a restarted synthd and a changed status
constexpr std::int64_t kWaitingRefreshNs = 5 * kNsPerMs;  // while a listener waits for its station

struct UnknownStation {};

}  // namespace

struct StreamServer::Impl final : ConnectionEvents {
  const Config& config;
  const Clock& clock;
  MetricsWriter metrics_segment;
  StreamMetrics metrics;
  StreamMetrics housekeeping_metrics;
  StationLabels labels;
  ChunkPump pump;
  Stations stations;
  WebSocketServer network;
  Hub hub;
  PacedDelivery delivery;
  HttpBackend backend;
  std::map<std::string, StationStatus> told;  // what all listeners of a station know, by its name
  std::vector<ConnectionId> waiting;          // for their station to play
  std::int64_t next_refresh_ns = 0;
  std::int64_t next_second_ns = 0;
  std::atomic<std::int64_t> last_step_ns{0};

  Impl(const Config& c, const Clock& k)
      : config(c),
        clock(k),
        metrics_segment(c.daemon_dir(Daemon::kStreamd), declared_metrics<StreamMetrics>(), kLanes,
                        k.now_ns()),
        metrics(metrics_segment.lane(kNetworkLane)),
        housekeeping_metrics(metrics_segment.lane(kHousekeepingLane)),
        labels(metrics_segment),
        pump(c.daemon_dir(Daemon::kSynthd), k, metrics, prefill_chunks()),
        stations(c.daemon_dir(Daemon::kStreamd), pump.reader(), k),
        network(*this, static_cast<std::size_t>(c.streamd.max_listeners + kPlainConnections)),
        hub(k, metrics, network,
            {static_cast<std::size_t>(c.streamd.max_listeners), c.streamd.max_backlog_ms * kNsPerMs}),
        delivery(pump, hub, k) {
    backend.status = [this](std::string_view query) { return status_response(query); };
    backend.not_ready_reason = [this] { return not_ready_reason(); };
    backend.control = [this](std::string_view body) { return control_request(body); };
    last_step_ns.store(k.now_ns(), std::memory_order_relaxed);
  }

  std::int64_t prefill_chunks() const { return config.streamd.prefill_ms / config.audio.chunk_ms; }
  double server_time() const { return static_cast<double>(clock.unix_ns()) / kNsPerSecond; }

  StatusContext context(const StationPlace& station) const {
    return {pump.has_timeline() ? pump.timeline() : Timeline{}, hub.listeners_of(station), server_time()};
  }

  // All periodic work; returns when it wants to be called again.
  std::int64_t step() {
    const std::int64_t now_ns = clock.now_ns();
    last_step_ns.store(now_ns, std::memory_order_relaxed);
    metrics_segment.beat(now_ns);
    stations.beat();
    if (now_ns >= next_refresh_ns) {
      next_refresh_ns = now_ns + (waiting.empty() ? kRefreshNs : kWaitingRefreshNs);
      refresh();
    }
    if (now_ns >= next_second_ns) {
      next_second_ns = now_ns + kNsPerSecond;
      hub.close_stalled();
      stations.close_idle([this](const StationPlace& place) { return hub.listeners_of(place) > 0; });
    }
    const std::int64_t next_ns = std::min(delivery.step(), next_refresh_ns);
    welcome_waiting();
    return next_ns;
  }

  void refresh() {
    const auto changes = stations.refresh(pump.refresh());
    if (!changes.came.empty() || !changes.gone.empty()) adopt(changes);
    tell_status();
  }

  // Stations have come or gone.
  void adopt(const Stations::Changes& changes) {
    std::vector<std::string_view> names;
    for (const StationPlace& place : stations.configured()) names.emplace_back(stations.find(place)->name);
    labels.keep(names);
    for (const StationPlace& place : changes.came) {
      const StationState& state = *stations.find(place);
      StreamMetrics::StationMetrics* figures = &metrics.personal;
      if (state.personal == 0) {
        if (const auto label = labels.label_of(state.name)) figures = &metrics.configured.at(*label);
      }
      pump.add(place, state.name, state.personal == 0, *figures);
    }
    for (const auto& gone : changes.gone) {
      pump.remove(gone.place);
      told.erase(gone.name);
      // A synthd that began anew has its stations elsewhere.
      if (const auto place = stations.find(gone.name)) {
        hub.move(gone.place, *place);
      } else if (const auto other = gone.link ? stations.open(*gone.link) : std::nullopt) {
        hub.move(gone.place, *other);
      } else if (gone.name.empty()) {
        hub.close_all_of(gone.place, close_code::kTryAgainLater, "the station could not be started");
      } else {
        hub.close_all_of(gone.place, close_code::kStationGone, "the station is no more");
      }
    }
    // Those who came before any station did.
    if (const auto place = stations.usual()) hub.move({}, *place);
    metrics.station_places.set(static_cast<double>(stations.places()));
    metrics.configured_stations.set(static_cast<double>(names.size()));
    metrics.personal_stations.set(static_cast<double>(stations.personal()));
  }

  // What changed of a station goes to all its listeners; what they know, each was told when it came.
  void tell_status() {
    for (const StationPlace& place : hub.stations()) {
      const auto status = stations.status(place);
      if (!status) continue;
      const auto known = told.find(status->station);
      if (known != told.end() && known->second == *status) continue;
      told[status->station] = *status;
      // One text for all leaves the subprotocol out, which each knows since its first.
      hub.send_text(place, make_text_message(status_message(*status, context(place), {})));
    }
  }

  // Listeners whose station plays by now are sent its status, and sound.
  void welcome_waiting() {
    const auto begins = [this](ConnectionId id) {
      const auto place = hub.station_of(id);
      if (!place) return true;
      if (!pump.plays(*place)) return false;
      if (const auto status = stations.status(*place)) {
        const auto protocol = kSubprotocols[static_cast<std::size_t>(hub.format_of(id))];
        hub.send_text(id, make_text_message(status_message(*status, context(*place), protocol)));
        if (hub.listeners_of(*place) == 1) told[status->station] = *status;
      }
      hub.prefill(id, delivery.prefill(*place, hub.phase_of(id), prefill_chunks()));
      return true;
    };
    waiting.erase(std::remove_if(waiting.begin(), waiting.end(), begins), waiting.end());
  }

  std::optional<std::string> not_ready_reason() const {
    if (!pump.has_timeline()) return "no audio yet: " + pump.reader().describe();
    if (!pump.flowing()) return "silence is being sent: synthd does not deliver";
    return std::nullopt;
  }

  // What a listener asks for: a station that is there (or, while none is known, whichever comes first), or
  // one of its own.
  struct Wanted {
    StationPlace place;
    std::optional<Permalink> link;
  };
  // Throws QueryError, UnknownStation.
  Wanted wanted(std::string_view query) const {
    const auto fields = query_fields(query);
    const auto name = fields.find("station");
    if (name == fields.end()) return {stations.usual().value_or(StationPlace{}), std::nullopt};
    if (name->second == "new") return {{}, checked(permalink_of(fields))};
    const auto place = stations.find(name->second);
    if (!place) throw UnknownStation();
    return {*place, std::nullopt};
  }

  std::string unknown_station_text() const {
    const std::string names = stations.names();
    return names.empty() ? "No station is there yet: synthd does not play."
                         : "There is no such station; there are: " + names + ".";
  }

  Permalink checked(Permalink link) const {
    if (changes_after(link.history, link.chunk) >= ShortHistory{}.changes.size()) {
      throw QueryError(
          "The link changes the music more often after its position than can be played here: at most " +
          std::to_string(ShortHistory{}.changes.size() - 1) + " times. auralis-render can play it.");
    }
    if (!link.sample_rate || !pump.reader().ready()) return link;
    const Timeline& timeline = pump.reader().timeline();
    const std::int64_t chunk_ms = timeline.chunk_ns() / kNsPerMs;
    if (*link.sample_rate == timeline.sample_rate && *link.chunk_ms == chunk_ms) return link;
    throw QueryError("The link was made where rate is " + std::to_string(*link.sample_rate) + " and chunk " +
                     std::to_string(*link.chunk_ms) + "; here they are " +
                     std::to_string(timeline.sample_rate) + " and " + std::to_string(chunk_ms) +
                     ". auralis-render can play it.");
  }

  // ConnectionEvents, on the network thread.
  void refused(Refusal reason) override {
    if (reason == Refusal::kPath) metrics.rejected_path.add();
    if (reason == Refusal::kProtocol) metrics.rejected_protocol.add();
    if (reason == Refusal::kLimit) metrics.rejected_limit.add();
    if (reason == Refusal::kStation) metrics.rejected_station.add();
    if (reason == Refusal::kPlaces) metrics.rejected_places.add();
  }

  Admission admit(std::string_view query, const Coming& coming) const override {
    if (!hub.has_room(coming.listeners)) {
      return {503, Refusal::kLimit, "All places for listeners are taken; try again later.", false};
    }
    try {
      const Wanted want = wanted(query);
      if (want.link && !pump.reader().segment().writer_alive()) {
        return {503, Refusal::kStation, "No station can be started: synthd is not there. Try again later.",
                true};
      }
      if (want.link && stations.free_places() <= coming.personal) {
        return {503, Refusal::kPlaces,
                "All places for personal stations are taken; try again later, or listen to one of: " +
                    stations.names() + ".",
                true};
      }
      return {101, {}, {}, want.link.has_value()};
    } catch (const UnknownStation&) {
      return {404, Refusal::kStation, unknown_station_text(), false};
    } catch (const QueryError& error) {
      return {400, Refusal::kStation, error.what(), false};
    }
  }

  void opened(ConnectionId id, WireFormat format, std::string_view query) override {
    const auto place = place_for(query);
    hub.add(id, format, place.value_or(StationPlace{}));
    log_info("listener connected", {{"listener", static_cast<std::int64_t>(id)},
                                    {"format", std::string(kSubprotocols[static_cast<std::size_t>(format)])},
                                    {"listeners", static_cast<std::int64_t>(hub.size())}});
    if (!place) {  // gone since it was admitted
      network.close(id, close_code::kTryAgainLater, "the station could not be started");
      return;
    }
    waiting.push_back(id);
    next_refresh_ns = 0;
    welcome_waiting();
  }

  std::optional<StationPlace> place_for(std::string_view query) {
    try {
      const Wanted want = wanted(query);
      return want.link ? stations.open(*want.link) : std::optional(want.place);
    } catch (const UnknownStation&) {
      return std::nullopt;
    } catch (const QueryError&) {
      return std::nullopt;
    }
  }

  void text(ConnectionId id, std::string_view payload) override {
    std::string answer = answer_to(id, parse_client_message(payload));
    if (!answer.empty()) hub.send_text(id, make_text_message(std::move(answer)));
  }

  void binary(ConnectionId id) override {
    hub.send_text(id, make_text_message(refusal({"not_text", "Messages to the server are JSON text.", {}})));
  }

  void written(ConnectionId id, std::size_t bytes) override { hub.written(id, bytes); }
  void write_failed(ConnectionId id) override { hub.write_failed(id); }
  void closed(ConnectionId id) override {
    hub.removed(id);
    log_info("listener gone", {{"listener", static_cast<std::int64_t>(id)},
                               {"listeners", static_cast<std::int64_t>(hub.size())}});
  }
  HttpResponse http(const HttpRequest& request) override { return handle_http(request, backend); }

  std::string refusal(const MessageError& error) {
    metrics.control_refused.add();
    return error_message(error);
  }

  // The answer to a listener's message; empty if it needs none.
  std::string answer_to(ConnectionId id, const ClientMessage& message) {
    if (const auto* ping = std::get_if<Ping>(&message)) return pong_message(*ping, server_time());
    if (const auto* report = std::get_if<PlaybackReport>(&message)) {
      const bool in_time = hub.report_playback(id, report->latency_ms);
      return in_time
                 ? std::string()
                 : refusal({"rate_limited", "One playback_report a second is enough.", "playback_report"});
    }
    const StationPlace place = hub.station_of(id).value_or(StationPlace{});
    if (std::holds_alternative<StatusRequest>(message)) {
      const auto status = stations.status(place);
      return status ? status_message(*status, context(place), {}) : std::string();
    }
    if (std::holds_alternative<BufferControl>(message) || std::holds_alternative<Subscribe>(message)) {
      return refusal({"unavailable", "This cannot be had from this server.", std::string(type_of(message))});
    }
    return change_answer(message, place).body;
  }

  HttpResponse unknown_station(std::string_view in_reply_to) {
    return {404,
            "application/json",
            refusal({"unknown_station", unknown_station_text(), std::string(in_reply_to)}),
            {}};
  }

  HttpResponse control_request(std::string_view body) {
    const ChangeRequest request = parse_change_request(body);
    if (!request.station) return change_answer(request.message, stations.usual().value_or(StationPlace{}));
    const auto place = stations.find(*request.station);
    return place ? change_answer(request.message, *place) : unknown_station(type_of(request.message));
  }

  // Obeys a change of parameters.
  HttpResponse change_answer(const ClientMessage& message, const StationPlace& place) {
    if (const auto* error = std::get_if<MessageError>(&message))
      return {400, "application/json", refusal(*error), {}};
    const std::string type(type_of(message));
    const StationState* const station = stations.find(place);
    if (station != nullptr && station->open == 0) {
      return {403,
              "application/json",
              refusal({"not_allowed", "This station is not open to changes; play one of your own for that.",
                       type}),
              {}};
    }
    const auto* patch = std::get_if<ParameterPatch>(&message);
    const auto accepted = patch != nullptr ? stations.change(place, *patch)
                                           : stations.choose(place, *std::get<PresetChoice>(message).preset);
    if (!accepted) {
      return {503,
              "application/json",
              refusal({"unavailable", "The music cannot be changed now: synthd is not there.", type}),
              {}};
    }
    metrics.control_accepted.add();
    return {200, "application/json", accepted_message(accepted->request, accepted->target), {}};
  }

  // Configured stations; a personal one is told to those who know its name.
  HttpResponse status_response(std::string_view query) {
    std::vector<StationPlace> places = stations.configured();
    try {
      const auto fields = query_fields(query);
      if (const auto name = fields.find("station"); name != fields.end()) {
        const auto place = stations.find(name->second);
        if (!place) return unknown_station({});
        places = {*place};
      }
    } catch (const QueryError& error) {
      return {400, "application/json", error_message({"bad_query", error.what(), {}}), {}};
    }
    std::vector<StationReport> reports;
    for (const StationPlace& place : places) {
      const auto status = stations.status(place);
      if (!status) continue;
      const double depth_ms = pump.has_timeline() ? pump.depth_ms(place) : 0;
      reports.push_back({*status, context(place), depth_ms, stations.permalink(place)});
    }
    const PlacesReport report{stations.places(), stations.free_places(), stations.personal()};
    return {200, "application/json", status_body(reports, report, pump.flowing()), {}};
  }
};

StreamServer::StreamServer(const Config& config, const Clock& clock)
    : impl_(std::make_unique<Impl>(config, clock)) {
  impl_->network.listen(config.streamd.host, static_cast<std::uint16_t>(config.streamd.port));
  log_info(
      "listening",
      {{"runtime_dir", config.runtime.dir}, {"host", config.streamd.host}, {"port", config.streamd.port}});
}
StreamServer::~StreamServer() = default;

void StreamServer::run() {
  impl_->network.every_step([impl = impl_.get()] { return impl->step(); });
  impl_->network.run();
}

void StreamServer::stop() {
  impl_->network.stop(
      [impl = impl_.get()] { impl->hub.close_all(close_code::kGoingAway, "the server stops"); });
}

void StreamServer::sample_process() { impl_->housekeeping_metrics.process.sample(); }

bool StreamServer::healthy() const {
  return impl_->clock.now_ns() - impl_->last_step_ns.load(std::memory_order_relaxed) <
         SegmentReader::kHungAfterNs;
}

}  // namespace auralis
