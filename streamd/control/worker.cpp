// SPDX-License-Identifier: MIT
#include "streamd/control/worker.h"

#include <algorithm>
#include <cassert>
#include <random>
#include <utility>

#include "common/base/log.h"

namespace auralis {
namespace {

// Clients of plain HTTP have no session to be rate-limited by: this many times a listener's limit, for all.
constexpr std::int64_t kRequestsOfAll = 20;
constexpr std::size_t kBytesPerKb = 1'024;
// Listeners whom a drain closed reconnect spread over this time, and not before the next process can be up.
constexpr std::int64_t kReconnectMs = 2'000;

constexpr std::string_view kStopReason = "the server is stopping; reconnect in some seconds";

BacklogLimits backlog_limits(const Config& config) {
  return {config.streamd.max_backlog_ms * kNsPerMs,
          static_cast<std::size_t>(config.streamd.max_backlog_kb) * kBytesPerKb};
}

}  // namespace

Worker::Worker(std::size_t index, WorkerContext& context, ConductorProxy& conductor, WorkerNetwork& network,
               StreamMetrics& metrics)
    : index_(index),
      context_(context),
      conductor_(conductor),
      network_(network),
      metrics_(metrics),
      queues_(context.clock, network.process_time(), metrics, network, backlog_limits(context.config),
              context.config.streamd.idle_timeout_s * kNsPerSecond,
              [this](ConnectionId id) { step_down(id); }),
      downloads_(context, network, metrics),
      control_requests_(kRequestsOfAll * context.config.streamd.changes_per_second, kRequestsOfAll) {
  context_.workers_not_ready.fetch_add(1, std::memory_order_relaxed);
}
Worker::~Worker() = default;

Worker::Session* Worker::find_open(ConnectionId id) {
  assert(checker_.is_current());
  const auto found = sessions_.find(id);
  return found != sessions_.end() && found->second.listener ? &found->second : nullptr;
}

void Worker::check_timeouts() {
  queues_.check_timeouts();
  downloads_.check_timeouts();
}

void Worker::opened(ConnectionId id, MessageSink& sink) {
  assert(checker_.is_current());
  if (downloads_.opened(id, sink)) return;
  Session& session = sessions_.at(id);
  assert(session.arrives);  // opened once
  const bool offered_opus = session.offered[static_cast<std::size_t>(WireFormat::kOpus)];
  SendQueues::Listener& listener = session.listener.emplace(queues_, id, sink, session.format, offered_opus);
  queues_.add(listener);
  if (context_.grouped_log.note(GroupedLog::Event::kConnected, {}, session.client)) {
    log_info("listener connected", {{"listener", static_cast<std::int64_t>(id)},
                                    {"format", std::string(format_name(session.format))},
                                    {"listeners", static_cast<std::int64_t>(context_.limiter.taken())}});
  }
  if (draining_) queues_.close(listener, close_code::kGoingAway, kStopReason);
  conductor_.add(id, {index_, *std::exchange(session.arrives, std::nullopt), session.format,
                      context_.access.actor(session.client, session.is_operator)});
}

void Worker::closed(ConnectionId id, ConnectionEnd end) {
  assert(checker_.is_current());
  if (downloads_.closed(id)) return;
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  Session& session = found->second;
  if (session.arrives && session.arrives->reserved)
    context_.pending_personal.fetch_sub(1, std::memory_order_relaxed);
  DisconnectReason reason = DisconnectReason::kClient;
  if (session.listener) {
    reason = queues_.remove(*session.listener, end);
    log_end(session, reason);
  }
  sessions_.erase(found);
  conductor_.remove(id, reason);
}

void Worker::log_end(const Session& session, DisconnectReason why) {
  const SendQueues::Listener& listener = *session.listener;
  const std::string reason(disconnect_reason_name(why));
  if (!context_.grouped_log.note(GroupedLog::Event::kGone, reason, session.client)) return;
  log_info("listener gone", {{"listener", static_cast<std::int64_t>(listener.id())},
                             {"reason", reason},
                             {"station", directory_->logged_name(listener.station())},
                             {"format", std::string(format_name(listener.format()))},
                             {"seconds", static_cast<std::int64_t>(context_.server_time() - session.since)},
                             {"chunks", static_cast<std::int64_t>(listener.chunks_sent())},
                             {"dropped", static_cast<std::int64_t>(listener.chunks_dropped())}});
}

void Worker::alive(ConnectionId id, std::optional<std::int64_t> round_trip_ns) {
  if (Session* const session = find_open(id)) queues_.alive(*session->listener, round_trip_ns);
}
void Worker::progressed(ConnectionId id) {
  if (Session* const session = find_open(id)) queues_.progressed(*session->listener);
}
void Worker::written(ConnectionId id) {
  if (downloads_.written(id)) return;
  if (Session* const session = find_open(id)) queues_.written(*session->listener);
}
void Worker::write_failed(ConnectionId id) {
  if (downloads_.write_failed(id)) return;
  if (Session* const session = find_open(id)) queues_.write_failed(*session->listener);
}

void Worker::refuse(ConnectionId id, const Session& session, const MessageError& error) {
  metrics_.control_refused.add();
  context_.grouped_log.note(GroupedLog::Event::kMessageRefused, error.code, session.client);
  conductor_.relay(index_, id, make_text_message(error_message(error)));
}

void Worker::binary(ConnectionId id) {
  assert(checker_.is_current());
  if (const Session* const session = may_talk(id))
    refuse(id, *session, {"not_text", "Messages to the server must be JSON text.", {}});
}

void Worker::text(ConnectionId id, std::string_view payload) {
  assert(checker_.is_current());
  if (Session* const session = may_talk(id)) answer(id, *session, parse_client_message(payload));
}

// The session, if its message is to be processed; else null.
Worker::Session* Worker::may_talk(ConnectionId id) {
  Session* const session = find_open(id);
  if (session == nullptr) return nullptr;
  queues_.alive(*session->listener, std::nullopt);
  const std::int64_t now_ns = context_.clock.now_ns();
  if (session->messages.take(now_ns) || sent_during_absence(*session)) return session;
  if (!session->refusals.take(now_ns)) {
    queues_.close(*session->listener, close_code::kPolicyViolation, "far too many messages");
    return nullptr;
  }
  const auto allowed = std::to_string(context_.config.streamd.messages_per_second);
  refuse(id, *session, {"rate_limited", "Too many messages: at most " + allowed + " a second.", {}});
  return nullptr;
}

// Messages that piled up in the socket while the process did not run arrive at once; they are no flood.
bool Worker::sent_during_absence(Session& session) const {
  const std::int64_t interval_ns = kNsPerSecond / context_.config.streamd.messages_per_second;
  if (network_.process_time().absent_ns() - session.absent_ns < interval_ns) return false;
  session.absent_ns += interval_ns;
  return true;
}

void Worker::answer(ConnectionId id, Session& session, const ClientMessage& message) {
  if (const auto* error = std::get_if<MessageError>(&message)) return refuse(id, session, *error);
  if (const auto* ping = std::get_if<Ping>(&message))
    return send(*session.listener, pong_message(*ping, context_.server_time()));
  if (const auto* report = std::get_if<PlaybackReport>(&message)) {
    if (queues_.report_playback(*session.listener, *report)) return;
    return refuse(
        id, session,
        {"rate_limited", "Too many reports: at most one playback_report a second.", "playback_report"});
  }
  if (std::holds_alternative<StatusRequest>(message)) return conductor_.send_status(id);
  if (const auto* request = std::get_if<BufferControl>(&message))
    return control_buffer(id, session, *request);
  if (const auto* request = std::get_if<Subscribe>(&message)) return subscribe(id, session, *request);
  change(id, session, message);
}

void Worker::change(ConnectionId id, Session& session, const ClientMessage& message) {
  const std::string type(type_of(message));
  if (!context_.access.listeners_control() && !session.is_operator) {
    return refuse(id, session,
                  {"not_allowed", "Only operators may change the music (see control_by).", type});
  }
  if (!may_change(id, session, type)) return;
  conductor_.change(id, message);
}

// Changes of the music and of the station cost more than other messages, and have a limit of their own.
bool Worker::may_change(ConnectionId id, Session& session, const std::string& type) {
  if (session.changes.take(context_.clock.now_ns())) return true;
  const auto allowed = std::to_string(context_.config.streamd.changes_per_second);
  refuse(id, session, {"rate_limited", "Too many changes: at most " + allowed + " a second.", type});
  return false;
}

void Worker::control_buffer(ConnectionId id, Session& session, const BufferControl& request) {
  if (request.format && !session.offered[static_cast<std::size_t>(*request.format)]) {
    return refuse(id, session,
                  {"not_offered",
                   "The format " + std::string(format_name(*request.format)) +
                       " was not among the offered subprotocols.",
                   "buffer_control"});
  }
  if (request.format && has_audio(*request.format) != has_audio(session.listener->format())) {
    return refuse(id, session,
                  {"not_offered", "A connection for messages alone stays one, and so does one with audio.",
                   "buffer_control"});
  }
  std::optional<SharedPermit> encoder = SharedPermit();
  if (request.format) encoder = reserve_encoder(session, *request.format);
  if (!encoder) return refuse(id, session, {"no_place", std::string(kNoEncoder), "buffer_control"});
  if (request.max_backlog_ms) queues_.set_max_backlog(*session.listener, *request.max_backlog_ms * kNsPerMs);
  if (request.flush) queues_.flush(*session.listener);
  conductor_.set_format(id, {request.format, false, *encoder});
}

void Worker::subscribe(ConnectionId id, Session& session, const Subscribe& request) {
  if (!may_change(id, session, "subscribe")) return;
  try {
    const QueryFields query = request.query ? QueryFields(*request.query) : QueryFields();
    StationRequest want = request.station ? station_by_name(*directory_, *request.station)
                                          : station_by_query(*directory_, query);
    const std::string ticket = request.ticket.value_or(query.ticket());
    if (const auto why = ticket_refusal(want, ticket))
      return refuse(id, session, {"no_ticket", *why, "subscribe"});
    auto station = reserve(session.client, session.listener->format(), std::move(want));
    if (const auto* none = std::get_if<NoCapacity>(&station))
      return refuse(id, session, {"no_place", none->sentence, "subscribe"});
    conductor_.subscribe(id, std::get<ReservedStation>(std::move(station)));
  } catch (const StationRefusal& refusal) {
    refuse(id, session, {std::string(refusal.code()), refusal.sentence, "subscribe"});
  }
}

void Worker::deliver(const Delivery& delivery) {
  assert(checker_.is_current());
  queues_.deliver(delivery);
}
void Worker::begin(ConnectionId id, const InitialDelivery& initial) {
  if (Session* const session = find_open(id)) queues_.begin(*session->listener, initial);
}
void Worker::switch_station(ConnectionId id, const StationId& station, const WireMessagePtr& answer) {
  Session* const session = find_open(id);
  if (session == nullptr) return;
  queues_.send_text(*session->listener, answer);
  queues_.switch_station(*session->listener, station);
}
void Worker::set_format(ConnectionId id, WireFormat format, bool stepped_down) {
  if (Session* const session = find_open(id)) queues_.set_format(*session->listener, format, stepped_down);
}
void Worker::send_text(ConnectionId id, const WireMessagePtr& message) {
  if (Session* const session = find_open(id)) queues_.send_text(*session->listener, message);
}
void Worker::send_buffer_status(ConnectionId id) {
  Session* const session = find_open(id);
  if (session != nullptr) send(*session->listener, buffer_status_message(session->listener->status()));
}
void Worker::close(ConnectionId id, std::uint16_t code, std::string_view reason) {
  if (Session* const session = find_open(id)) queues_.close(*session->listener, code, reason);
}
void Worker::send_text_to_station(const StationId& station, const WireMessagePtr& message) {
  queues_.send_text(station, message);
}
void Worker::close_station(const StationId& station, std::uint16_t code, std::string_view reason) {
  queues_.close_all_of(station, code, reason);
}
void Worker::close_format(WireFormat format, std::uint16_t code, std::string_view reason) {
  queues_.close_all_in(format, code, reason);
}
void Worker::respond(ConnectionId connection, const HttpResponse& response) {
  assert(checker_.is_current());
  network_.respond(connection, response);
}
void Worker::set_directory(std::shared_ptr<const StationDirectory> directory) {
  assert(checker_.is_current());
  const bool was_ready = !directory_->not_ready_reason;
  directory_ = std::move(directory);
  const bool ready = !directory_->not_ready_reason;
  if (ready && !was_ready) context_.workers_not_ready.fetch_sub(1, std::memory_order_relaxed);
  if (!ready && was_ready) context_.workers_not_ready.fetch_add(1, std::memory_order_relaxed);
}

void Worker::report_listeners(std::uint64_t collection) { conductor_.add_reports(collection, reports()); }

std::vector<ListenerReport> Worker::reports() const {
  assert(checker_.is_current());
  std::vector<ListenerReport> reports;
  for (const auto& [id, session] : sessions_) {
    if (!session.listener) continue;  // its upgrade is not complete
    const BufferStatus status = session.listener->status();
    const auto* const station = directory_->find(session.listener->station());
    ListenerReport report;
    report.id = id;
    report.address = session.client.text();
    report.station = station != nullptr ? station->name : std::string();
    report.format = format_name(status.format);
    report.transport = is_plain_http(status.format) ? "http" : "websocket";
    report.backlog_ms = status.backlog_ms;
    report.queued = status.queued;
    report.queued_bytes = status.queued_bytes;
    report.sent = status.sent;
    report.dropped = status.dropped;
    report.bytes = session.listener->bytes_sent();
    report.rtt_ms = status.rtt_ms;
    report.since = session.since;
    report.playback = session.listener->playback();
    reports.push_back(std::move(report));
  }
  return reports;
}

void Worker::begin_drain(std::int64_t until_ns) {
  assert(checker_.is_current());
  draining_ = true;
  const std::int64_t now_ns = context_.clock.now_ns();
  const std::vector<SendQueues::Listener*>& listeners = queues_.listeners();
  std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<std::int64_t> delay_ms(0, kReconnectMs);
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const auto share = static_cast<std::int64_t>(i + 1);
    const auto count = static_cast<std::int64_t>(listeners.size());
    const std::int64_t at_ns = now_ns + (until_ns - now_ns) * share / count;
    const std::int64_t closes_in_ms = (at_ns - now_ns) / kNsPerMs;
    const std::int64_t gone_in_ms = (until_ns - now_ns) / kNsPerMs;
    leaving_.push_back({at_ns, listeners[i]->id()});
    send(*listeners[i],
         shutdown_warning_message({closes_in_ms, gone_in_ms + kReconnectMs / 2 + delay_ms(random)}));
  }
  std::reverse(leaving_.begin(), leaving_.end());
}

void Worker::close_due_listeners() {
  assert(checker_.is_current());
  for (; !leaving_.empty() && leaving_.back().at_ns <= context_.clock.now_ns(); leaving_.pop_back())
    close(leaving_.back().id, close_code::kGoingAway, kStopReason);
}

}  // namespace auralis
