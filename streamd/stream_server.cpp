// SPDX-License-Identifier: MIT
#include "streamd/stream_server.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "common/log.h"
#include "common/metrics_segment.h"
#include "streamd/chunk_pump.h"
#include "streamd/descriptors.h"
#include "streamd/http_api.h"
#include "streamd/hub.h"
#include "streamd/paced_delivery.h"
#include "streamd/station_control.h"
#include "streamd/stream_metrics.h"
#include "streamd/websocket_server.h"

namespace auralis {
namespace {

constexpr std::size_t kNetworkLane = 0;
constexpr std::size_t kHousekeepingLane = 1;
constexpr std::size_t kLanes = 2;
constexpr std::int64_t kRefreshNs =
    100 * kNsPerMs;  // how often to look for a restarted synthd and a changed status
constexpr std::int64_t kStalledCheckNs = kNsPerSecond;

}  // namespace

struct StreamServer::Impl final : ConnectionEvents {
  const Config& config;
  const Clock& clock;
  MetricsWriter metrics_segment;
  StreamMetrics metrics;
  StreamMetrics housekeeping_metrics;
  ChunkPump pump;
  StationControl control;
  WebSocketServer network;
  Hub hub;
  PacedDelivery delivery;
  HttpBackend backend;
  std::optional<StationStatus> told_status;  // what all listeners know
  std::int64_t next_refresh_ns = 0;
  std::int64_t next_stalled_check_ns = 0;
  std::atomic<std::int64_t> last_step_ns{0};

  Impl(const Config& c, const Clock& k)
      : config(c),
        clock(k),
        metrics_segment(c.daemon_dir(Daemon::kStreamd), declared_metrics<StreamMetrics>(c.synthd.station),
                        kLanes, k.now_ns()),
        metrics(metrics_segment.lane(kNetworkLane), c.synthd.station),
        housekeeping_metrics(metrics_segment.lane(kHousekeepingLane), c.synthd.station),
        pump(c.daemon_dir(Daemon::kSynthd), k, metrics, prefill_chunks()),
        control(c.daemon_dir(Daemon::kStreamd), pump.reader(), k.now_ns()),
        network(*this, static_cast<std::size_t>(c.streamd.max_listeners + kPlainConnections)),
        hub(k, metrics, network,
            {static_cast<std::size_t>(c.streamd.max_listeners), c.streamd.max_backlog_ms * kNsPerMs}),
        delivery(pump, hub, k) {
    backend.status_body = [this] {
      return auralis::status_body(control.status(), context(), pump.has_timeline() ? pump.depth_ms() : 0,
                                  pump.flowing());
    };
    backend.not_ready_reason = [this] { return not_ready_reason(); };
    backend.control = [this](std::string_view body) { return control_request(body); };
    last_step_ns.store(k.now_ns(), std::memory_order_relaxed);
  }

  std::int64_t prefill_chunks() const { return config.streamd.prefill_ms / config.audio.chunk_ms; }
  double server_time() const { return static_cast<double>(clock.unix_ns()) / kNsPerSecond; }

  StatusContext context() const {
    return {pump.has_timeline() ? pump.timeline() : Timeline{}, hub.size(), server_time()};
  }

  // All periodic work; returns when it wants to be called again.
  std::int64_t step() {
    const std::int64_t now_ns = clock.now_ns();
    last_step_ns.store(now_ns, std::memory_order_relaxed);
    metrics_segment.beat(now_ns);
    control.beat(now_ns);
    if (now_ns >= next_refresh_ns) {
      next_refresh_ns = now_ns + kRefreshNs;
      pump.refresh();
      tell_status();
    }
    if (now_ns >= next_stalled_check_ns) {
      next_stalled_check_ns = now_ns + kStalledCheckNs;
      hub.close_stalled();
    }
    return std::min(delivery.step(), next_refresh_ns);
  }

  void tell_status() {
    auto status = control.status();
    if (!status || (told_status && *status == *told_status)) return;
    told_status = std::move(status);
    if (hub.size() == 0) return;
    // One text for all leaves the subprotocol out, which each knows since its first.
    hub.send_text_to_all(make_text_message(status_message(*told_status, context(), {})));
  }

  std::optional<std::string> not_ready_reason() const {
    if (!pump.has_timeline()) return "no audio yet: " + pump.reader().describe();
    if (!pump.flowing()) return "silence is being sent: synthd does not deliver";
    return std::nullopt;
  }

  // ConnectionEvents, on the network thread.
  void refused(Refusal reason) override {
    if (reason == Refusal::kPath) metrics.rejected_path.add();
    if (reason == Refusal::kProtocol) metrics.rejected_protocol.add();
    if (reason == Refusal::kLimit) metrics.rejected_limit.add();
  }
  bool has_room(std::size_t coming) const override { return hub.has_room(coming); }

  void opened(ConnectionId id, WireFormat format) override {
    const std::uint32_t phase = hub.add(id, format);
    log_info("listener connected", {{"listener", static_cast<std::int64_t>(id)},
                                    {"format", std::string(kSubprotocols[static_cast<std::size_t>(format)])},
                                    {"listeners", static_cast<std::int64_t>(hub.size())}});
    if (const auto status = control.status()) {
      hub.send_text(id, make_text_message(status_message(*status, context(),
                                                         kSubprotocols[static_cast<std::size_t>(format)])));
    }
    hub.prefill(id, delivery.prefill(phase, prefill_chunks()));
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
    return change_answer(message).body;
  }

  HttpResponse control_request(std::string_view body) { return change_answer(parse_change_request(body)); }

  // Obeys a change of parameters.
  HttpResponse change_answer(const ClientMessage& message) {
    if (const auto* error = std::get_if<MessageError>(&message))
      return {400, "application/json", refusal(*error), {}};
    const auto* patch = std::get_if<ParameterPatch>(&message);
    const auto accepted =
        patch != nullptr ? control.change(*patch) : control.choose(*std::get<PresetChoice>(message).preset);
    if (!accepted) {
      return {503,
              "application/json",
              refusal({"unavailable", "The music cannot be changed now: synthd is not there.",
                       patch != nullptr ? "update_params" : "select_preset"}),
              {}};
    }
    metrics.control_accepted.add();
    return {200, "application/json", accepted_message(accepted->request, accepted->target), {}};
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
