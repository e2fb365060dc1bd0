// SPDX-License-Identifier: MIT
#include "streamd/control/worker.h"

#include <algorithm>
#include <random>
#include <tuple>
#include <utility>

#include "common/base/log.h"
#include "common/base/process_time.h"
#include "streamd/control/conductor.h"

namespace auralis {
namespace {

constexpr std::int64_t kMessageBurst = 20;
constexpr std::int64_t kChangeBurst = 5;
// Who sends more than is taken is told so for each, but not for ever: a flood of answers would be one, too.
constexpr std::int64_t kRefusalBurst = 100;
// Who asks over plain HTTP has no connection to be counted by: so many times what one listener may, for all.
constexpr std::int64_t kRequestsOfAll = 20;
constexpr std::size_t kBytesPerKb = 1'024;
// Listeners whom a stop sent away come back spread over so long, but not before the next process can be
// there.
constexpr std::int64_t kComeBackMs = 2'000;

constexpr std::string_view kStopReason = "the server stops; come back in some seconds";

HttpResponse come_later(int status, std::string sentence) {
  HttpResponse response = text_response(status, std::move(sentence));
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

double to_unix_s(std::int64_t ns) { return static_cast<double>(ns) / kNsPerSecond; }

// Reads twice what messages may come to, and where they are small enough for frames of control.
ServerLimits server_limits(const Config& config) {
  ServerLimits limits;
  limits.handshake_timeout_ms = config.streamd.handshake_timeout_ms;
  limits.message_bytes = static_cast<std::size_t>(config.streamd.max_message_bytes);
  limits.header_bytes = static_cast<std::size_t>(config.streamd.max_header_bytes);
  const auto messages = static_cast<std::size_t>(config.streamd.messages_per_second);
  limits.read_at_once = std::max(limits.read_at_once, 2 * limits.message_bytes * messages / 10);
  return limits;
}
BacklogLimits backlog_limits(const Config& config) {
  return {config.streamd.max_backlog_ms * kNsPerMs,
          static_cast<std::size_t>(config.streamd.max_backlog_kb) * kBytesPerKb};
}

}  // namespace

Worker::Worker(std::size_t index, WorkerContext& context, Conductor& conductor, StreamMetrics& metrics)
    : index_(index),
      context_(context),
      conductor_(conductor),
      metrics_(metrics),
      network_(server_limits(context.config), context.certificate, context.clock),
      queues_(context.clock, network_.process_time(), metrics, network_, backlog_limits(context.config),
              context.config.streamd.idle_timeout_s * kNsPerSecond,
              [this](ConnectionId id) { step_down(id); }),
      control_requests_(kRequestsOfAll * context.config.streamd.changes_per_second, kRequestsOfAll) {}
Worker::~Worker() = default;

// Why the ticket is none for that station now; nothing where it is one, or none is asked for.
std::optional<std::string> Worker::ticket_refusal(const StationRequest& want, std::string_view ticket) const {
  const std::int64_t now_s = context_.wall.unix_ns() / kNsPerSecond;
  return context_.access.ticket_refusal(ticket, want.ticket_station(), now_s);
}

// Of a page or of one without a ticket, who may not listen, whether there is a place or not.
std::optional<HttpResponse> Worker::entry_refusal(const HttpRequest& request, const StationRequest& want,
                                                  std::string_view ticket) {
  if (!context_.access.origin_allowed(request)) {
    metrics_.rejected_origin.add();
    return text_response(403, "Pages of this origin may not listen here (allowed_origins).");
  }
  const auto why = ticket_refusal(want, ticket);
  if (!why) return std::nullopt;
  metrics_.rejected_ticket.add();
  HttpResponse response = text_response(401, *why);
  response.headers.emplace_back("WWW-Authenticate", "Ticket");
  return response;
}

std::optional<HttpResponse> Worker::open_session(ConnectionId id, const HttpRequest& request,
                                                 StationRequest want, const FormatSet& offered,
                                                 WireFormat format) {
  const auto later = [](int status, Counter& reason, std::string sentence) {
    reason.add();
    return come_later(status, std::move(sentence));
  };
  const IpAddress address = context_.access.client_of(request);
  auto place = context_.limiter.acquire(address);
  if (const auto* refusal = std::get_if<ConnectionLimiter::Refusal>(&place)) {
    const bool full = *refusal == ConnectionLimiter::Refusal::kFull;
    return full ? later(503, metrics_.rejected_limit, "All places for listeners are taken; try again later.")
                : later(429, metrics_.rejected_address,
                        "As many listeners as there may be at an address are there already.");
  }
  const auto encoder = reserve_encoder(address, format, want);
  if (!encoder) return later(503, metrics_.rejected_encoders, std::string(kNoEncoder));
  const bool reserves = want.link.has_value();
  std::variant<SharedPermit, NoPlace> personal;
  if (reserves) personal = reserve_place(address);
  if (const auto* none = std::get_if<NoPlace>(&personal)) {
    return later(none->status, metrics_.rejected_places,
                 none->sentence + ", or listen to one of: " + directory_->names() + ".");
  }
  const auto& limits = context_.config.streamd;
  sessions_.emplace(id, Session{std::get<ConnectionLimiter::Permit>(std::move(place)), address,
                                std::move(want), format, offered, context_.access.is_operator(request),
                                reserves, std::get<SharedPermit>(std::move(personal)), *encoder,
                                TokenBucket(limits.messages_per_second, kMessageBurst),
                                TokenBucket(limits.messages_per_second, kRefusalBurst),
                                TokenBucket(limits.changes_per_second, kChangeBurst),
                                to_unix_s(context_.clock.unix_ns()), network_.process_time().absent_ns()});
  return std::nullopt;
}

Admission Worker::admit(ConnectionId id, const HttpRequest& request,
                        const std::vector<std::string>& offered) {
  const auto as_admission = [](const HttpResponse& response) {
    Admission admission{response.status, response.body, {}, {}, {}};
    if (!response.headers.empty()) std::tie(admission.header, admission.value) = response.headers.front();
    return admission;
  };
  const auto refused = [&](int status, Counter& reason, std::string sentence) {
    reason.add();
    return as_admission(text_response(status, std::move(sentence)));
  };
  if (request.path != "/ws/stream") {
    return refused(404, metrics_.rejected_path, "There is no stream at this path; it is /ws/stream.");
  }
  if (context_.stopping) return as_admission(stopping_response());
  // The library would also speak the drafts, which frame otherwise and name a page's origin otherwise.
  if (request.websocket_version != "13") {
    Admission refusal = refused(400, metrics_.rejected_protocol, "WebSocket is spoken here as of RFC 6455.");
    std::tie(refusal.header, refusal.value) = std::make_tuple("Sec-WebSocket-Version", "13");
    return refusal;
  }
  FormatSet formats;
  std::optional<WireFormat> format;
  for (const std::string& name : offered) {
    const auto known = format_from_subprotocol(name);
    if (!known) continue;
    if (!format) format = known;
    formats.set(static_cast<std::size_t>(*known));
  }
  if (!format && !offered.empty()) {
    return refused(400, metrics_.rejected_protocol,
                   "None of the subprotocols is known; there are auralis.pcm.v1, auralis.opus.v1 and "
                   "auralis.json.v1.");
  }
  if (offered.empty()) formats.set(static_cast<std::size_t>(WireFormat::kJson));
  try {
    StationRequest want = wanted_station(*directory_, request.query);
    auto refusal = entry_refusal(request, want, ticket_of(request.query));
    if (!refusal)
      refusal = open_session(id, request, std::move(want), formats, format.value_or(WireFormat::kJson));
    if (refusal) return as_admission(*refusal);
  } catch (const StationRefusal& refusal) {
    return as_admission(station_refused(refusal));
  }
  return {101, {}, {}, {}, format ? std::string(format_name(*format)) : std::string()};
}

HttpResponse Worker::station_refused(const StationRefusal& refusal) {
  metrics_.rejected_station.add();
  return refusal.status() == 503 ? come_later(503, refusal.sentence)
                                 : text_response(refusal.status(), refusal.sentence);
}

HttpResponse Worker::stopping_response() {
  metrics_.rejected_limit.add();
  return come_later(503, "The server stops.");
}

void Worker::opened(ConnectionId id, MessageSink& sink) {
  Session& session = sessions_.at(id);
  const bool offered_opus = session.offered[static_cast<std::size_t>(WireFormat::kOpus)];
  queues_.add(id, sink, session.format, offered_opus);
  log_info("listener connected", {{"listener", static_cast<std::int64_t>(id)},
                                  {"format", std::string(format_name(session.format))},
                                  {"listeners", static_cast<std::int64_t>(context_.limiter.taken())}});
  if (draining_) queues_.close(id, close_code::kGoingAway, kStopReason);
  // From here on the conductor answers for the place that was kept.
  Conductor::Arrival arrival{
      index_,
      {session.want, std::exchange(session.reserved, false), std::exchange(session.personal, nullptr),
       std::exchange(session.encoder, nullptr)},
      session.format};
  conductor_.post([this, id, arrival = std::move(arrival)] { conductor_.arrive(id, arrival); });
}

void Worker::closed(ConnectionId id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  if (found->second.reserved) context_.coming_personal.fetch_sub(1, std::memory_order_relaxed);
  sessions_.erase(found);
  queues_.removed(id);
  conductor_.post([this, id] { conductor_.remove(id); });
  log_info("listener gone", {{"listener", static_cast<std::int64_t>(id)},
                             {"listeners", static_cast<std::int64_t>(context_.limiter.taken())}});
}

void Worker::alive(ConnectionId id, std::optional<std::int64_t> round_trip_ns) {
  queues_.alive(id, round_trip_ns);
}

void Worker::send(ConnectionId id, const std::string& text) {
  queues_.send_text(id, make_text_message(text));
}

void Worker::refuse(ConnectionId id, const MessageError& error) {
  metrics_.control_refused.add();
  // By way of the conductor, where answers to earlier messages may be under way.
  conductor_.post([this, id, message = make_text_message(error_message(error))] {
    network_.post([this, id, message] { queues_.send_text(id, message); });
  });
}

void Worker::binary(ConnectionId id) {
  if (may_talk(id) != nullptr) refuse(id, {"not_text", "Messages to the server are JSON text.", {}});
}

void Worker::text(ConnectionId id, std::string_view payload) {
  if (Session* const session = may_talk(id)) answer(id, *session, parse_client_message(payload));
}

// Null where a message is not taken.
Worker::Session* Worker::may_talk(ConnectionId id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return nullptr;
  queues_.alive(id, std::nullopt);
  Session& session = found->second;
  const std::int64_t now_ns = context_.clock.now_ns();
  if (session.messages.take(now_ns) || sent_during_absence(session)) return &session;
  if (!session.refusals.take(now_ns)) {
    queues_.close(id, close_code::kPolicyViolation, "far more messages than are taken");
    return nullptr;
  }
  const auto allowed = std::to_string(context_.config.streamd.messages_per_second);
  refuse(id, {"rate_limited", "At most " + allowed + " messages a second are taken.", {}});
  return nullptr;
}

// What piled up in its socket while the process did not run comes all at once, and is no flood.
bool Worker::sent_during_absence(Session& session) const {
  const std::int64_t interval_ns = kNsPerSecond / context_.config.streamd.messages_per_second;
  if (network_.process_time().absent_ns() - session.absent_ns < interval_ns) return false;
  session.absent_ns += interval_ns;
  return true;
}

void Worker::answer(ConnectionId id, Session& session, const ClientMessage& message) {
  if (const auto* error = std::get_if<MessageError>(&message)) return refuse(id, *error);
  if (const auto* ping = std::get_if<Ping>(&message))
    return send(id, pong_message(*ping, to_unix_s(context_.clock.unix_ns())));
  if (const auto* report = std::get_if<PlaybackReport>(&message)) {
    if (queues_.report_playback(id, report->latency_ms)) return;
    return refuse(id, {"rate_limited", "One playback_report a second is enough.", "playback_report"});
  }
  if (std::holds_alternative<StatusRequest>(message))
    return conductor_.post([this, id] { conductor_.tell_status(id); });
  if (const auto* wish = std::get_if<BufferControl>(&message)) return control_buffer(id, session, *wish);
  if (const auto* wish = std::get_if<Subscribe>(&message)) return subscribe(id, session, *wish);
  change(id, session, message);
}

void Worker::change(ConnectionId id, Session& session, const ClientMessage& message) {
  const std::string type(type_of(message));
  if (!context_.access.listeners_control() && !session.is_operator) {
    return refuse(id, {"not_allowed", "Here the operators alone change the music (control_by).", type});
  }
  if (!may_change(id, session, type)) return;
  conductor_.post([this, id, message] { conductor_.change(id, message); });
}

// Changes of the music and of the station cost more than other messages.
bool Worker::may_change(ConnectionId id, Session& session, const std::string& type) {
  if (session.changes.take(context_.clock.now_ns())) return true;
  const auto allowed = std::to_string(context_.config.streamd.changes_per_second);
  refuse(id, {"rate_limited", "At most " + allowed + " changes a second are taken.", type});
  return false;
}

void Worker::control_buffer(ConnectionId id, const Session& session, const BufferControl& wish) {
  if (wish.format && !session.offered[static_cast<std::size_t>(*wish.format)]) {
    return refuse(id, {"not_offered",
                       "The format " + std::string(format_name(*wish.format)) +
                           " was not among the subprotocols that were offered.",
                       "buffer_control"});
  }
  std::optional<SharedPermit> encoder = SharedPermit();
  if (wish.format) encoder = reserve_encoder(session.client, *wish.format, id);
  if (!encoder) return refuse(id, {"no_place", std::string(kNoEncoder), "buffer_control"});
  if (wish.max_backlog_ms) queues_.set_max_backlog(id, *wish.max_backlog_ms * kNsPerMs);
  if (wish.flush) queues_.flush(id);
  // Its answer comes once the format is in force.
  conductor_.post([this, id, format = wish.format, encoder = *encoder] {
    const auto answer = [this, id] {
      network_.post([this, id] {
        if (const auto status = queues_.status(id)) send(id, buffer_status_message(*status));
      });
    };
    conductor_.set_format(id, {format, false, encoder}, answer);
  });
}

void Worker::subscribe(ConnectionId id, Session& session, const Subscribe& wish) {
  if (!may_change(id, session, "subscribe")) return;
  try {
    const StationRequest want =
        wish.station ? named_station(*directory_, *wish.station) : wanted_station(*directory_, *wish.query);
    const std::string ticket = wish.ticket  ? *wish.ticket
                               : wish.query ? ticket_of(*wish.query)
                                            : std::string();
    if (const auto why = ticket_refusal(want, ticket)) return refuse(id, {"no_ticket", *why, "subscribe"});
    const auto status = queues_.status(id);
    const auto encoder = reserve_encoder(session.client, status ? status->format : session.format, want);
    if (!encoder) return refuse(id, {"no_place", std::string(kNoEncoder), "subscribe"});
    const bool reserves = want.link.has_value();
    std::variant<SharedPermit, NoPlace> personal;
    if (reserves) personal = reserve_place(session.client);
    if (const auto* none = std::get_if<NoPlace>(&personal))
      return refuse(id, {"no_place", none->sentence + ".", "subscribe"});
    conductor_.post(
        [this, id, wish = Conductor::Wish{want, reserves, std::get<SharedPermit>(personal), *encoder}] {
          conductor_.subscribe(id, wish);
        });
  } catch (const StationRefusal& refusal) {
    refuse(id, {std::string(refusal.code()), refusal.sentence, "subscribe"});
  }
}

std::vector<ListenerReport> Worker::reports() const {
  std::vector<ListenerReport> reports;
  for (const auto& [id, session] : sessions_) {
    const auto status = queues_.status(id);
    if (!status) continue;  // its upgrade is under way
    const auto* const station = directory_->find(queues_.station_of(id));
    ListenerReport report;
    report.id = id;
    report.address = session.client.text();
    report.station = station != nullptr ? station->name : std::string();
    report.format = format_name(status->format);
    report.transport = is_plain_http(status->format) ? "http" : "websocket";
    report.backlog_ms = status->backlog_ms;
    report.queued = status->queued;
    report.queued_bytes = status->queued_bytes;
    report.sent = status->sent;
    report.dropped = status->dropped;
    report.bytes = queues_.bytes_of(id);
    report.rtt_ms = status->rtt_ms;
    report.since = session.since;
    reports.push_back(std::move(report));
  }
  return reports;
}

void Worker::begin_drain(std::int64_t until_ns) {
  draining_ = true;
  const std::int64_t now_ns = context_.clock.now_ns();
  const std::vector<ConnectionId> ids = queues_.ids();
  std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<std::int64_t> delay_ms(0, kComeBackMs);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto share = static_cast<std::int64_t>(i + 1);
    const std::int64_t at_ns = now_ns + (until_ns - now_ns) * share / static_cast<std::int64_t>(ids.size());
    const std::int64_t closes_in_ms = (at_ns - now_ns) / kNsPerMs;
    const std::int64_t gone_in_ms = (until_ns - now_ns) / kNsPerMs;
    leaving_.push_back({at_ns, ids[i]});
    send(ids[i], shutdown_warning_message({closes_in_ms, gone_in_ms + kComeBackMs / 2 + delay_ms(random)}));
  }
  std::reverse(leaving_.begin(), leaving_.end());
}

void Worker::send_away() {
  for (; !leaving_.empty() && leaving_.back().at_ns <= context_.clock.now_ns(); leaving_.pop_back())
    queues_.close(leaving_.back().id, close_code::kGoingAway, kStopReason);
}

}  // namespace auralis
