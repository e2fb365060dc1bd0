// SPDX-License-Identifier: MIT
// Admission of listeners to a worker, and the permits that a listener takes.
#include <cassert>
#include <tuple>
#include <utility>

#include "streamd/control/worker.h"

namespace auralis {
namespace {

constexpr std::int64_t kMessageBurst = 20;
constexpr std::int64_t kChangeBurst = 5;
// Rate-limit the rate-limit errors too: replying to every excess message would itself be a flood.
constexpr std::int64_t kRefusalBurst = 100;
constexpr int kRetryAfterSeconds = 5;

Admission as_admission(const HttpResponse& response) {
  Admission admission{response.status, response.body, {}, {}, {}};
  if (!response.headers.empty()) std::tie(admission.header, admission.value) = response.headers.front();
  return admission;
}

// The formats that a client offers as subprotocols, and the first of them; none if it offers unknown ones
// only.
struct Offer {
  FormatSet formats;
  std::optional<WireFormat> first;
};
Offer offer_of(const std::vector<std::string>& subprotocols) {
  Offer offer;
  for (const std::string& name : subprotocols) {
    const auto format = format_from_subprotocol(name);
    if (!format) continue;
    if (!offer.first) offer.first = format;
    offer.formats.set(static_cast<std::size_t>(*format));
  }
  if (subprotocols.empty()) offer.formats.set(static_cast<std::size_t>(WireFormat::kJson));
  return offer;
}

}  // namespace

Admission Worker::admit(ConnectionId id, const HttpRequest& request,
                        const std::vector<std::string>& offered) {
  assert(checker_.is_current());
  const auto refused = [&](int status, StreamMetrics::Rejection& why, std::string sentence) {
    note_rejection(why, context_.access.client_of(request));
    return as_admission(text_response(status, std::move(sentence)));
  };
  if (request.path != "/ws/stream")
    return refused(404, metrics_.rejected_path, "No stream at this path; use /ws/stream.");
  if (context_.stopping) return as_admission(stopping_response(request));
  // The library would also accept the draft versions, whose framing and origin header differ.
  if (request.websocket_version != "13") {
    Admission refusal = refused(400, metrics_.rejected_protocol,
                                "Unsupported WebSocket version; this server speaks RFC 6455 (version 13).");
    std::tie(refusal.header, refusal.value) = std::make_tuple("Sec-WebSocket-Version", "13");
    return refusal;
  }
  const Offer offer = offer_of(offered);
  if (!offer.first && !offered.empty()) {
    return refused(
        400, metrics_.rejected_protocol,
        "Unknown subprotocol; use auralis.pcm.v1, auralis.opus.v1, auralis.json.v1 or auralis.messages.v1.");
  }
  try {
    StationRequest want = station_by_query(*directory_, request.query);
    auto refusal = entry_refusal(request, want, request.query.ticket());
    if (!refusal) {
      const WireFormat format = offer.first.value_or(WireFormat::kJson);
      refusal = open_session(id, request, std::move(want), offer.formats, format);
    }
    if (refusal) return as_admission(*refusal);
  } catch (const StationRefusal& refusal) {
    return as_admission(station_refused(request, refusal));
  }
  return {101, {}, {}, {}, offer.first ? std::string(format_name(*offer.first)) : std::string()};
}

// Why the ticket does not grant access to that station now; nothing if it does, or none is required.
std::optional<std::string> Worker::ticket_refusal(const StationRequest& want, std::string_view ticket) const {
  const std::int64_t now_s = context_.wall.unix_ns() / kNsPerSecond;
  return context_.access.ticket_refusal(ticket, want.ticket_station(), now_s);
}

std::optional<HttpResponse> Worker::entry_refusal(const HttpRequest& request, const StationRequest& want,
                                                  std::string_view ticket) {
  if (!context_.access.origin_allowed(request)) {
    note_rejection(metrics_.rejected_origin, context_.access.client_of(request));
    return text_response(403, "Origin not allowed (see allowed_origins).");
  }
  const auto why = ticket_refusal(want, ticket);
  if (!why) return std::nullopt;
  note_rejection(metrics_.rejected_ticket, context_.access.client_of(request));
  HttpResponse response = text_response(401, *why);
  response.headers.emplace_back("WWW-Authenticate", "Ticket");
  return response;
}

Worker::Session::Session(ConnectionLimiter::Permit taken, ReservedStation station, const Config& config)
    : permit(std::move(taken)),
      arrives(std::move(station)),
      messages(config.streamd.messages_per_second, kMessageBurst),
      refusals(config.streamd.messages_per_second, kRefusalBurst),
      changes(config.streamd.changes_per_second, kChangeBurst) {}

std::optional<HttpResponse> Worker::open_session(ConnectionId id, const HttpRequest& request,
                                                 StationRequest want, const FormatSet& offered,
                                                 WireFormat format) {
  const IpAddress address = context_.access.client_of(request);
  const auto later = [&](int status, StreamMetrics::Rejection& why, std::string sentence) {
    note_rejection(why, address);
    return retry_later(status, std::move(sentence), kRetryAfterSeconds);
  };
  auto permit = context_.limiter.acquire(address);
  if (const auto* refusal = std::get_if<ConnectionLimiter::Refusal>(&permit)) {
    if (*refusal == ConnectionLimiter::Refusal::kFull)
      return later(503, metrics_.rejected_limit, "Too many listeners (max_listeners); try again later.");
    return later(429, metrics_.rejected_address,
                 "Too many listeners from this address (max_listeners_per_address).");
  }
  auto station = reserve(address, format, std::move(want));
  if (const auto* none = std::get_if<NoCapacity>(&station)) {
    if (!none->personal) return later(none->status, metrics_.rejected_encoders, none->sentence);
    return later(none->status, metrics_.rejected_places,
                 none->sentence + " Or listen to one of: " + directory_->names() + ".");
  }
  const auto [entry, created] =
      sessions_.try_emplace(id, std::get<ConnectionLimiter::Permit>(std::move(permit)),
                            std::get<ReservedStation>(std::move(station)), context_.config);
  assert(created);
  Session& session = entry->second;
  session.client = address;
  session.format = format;
  session.offered = offered;
  session.is_operator = context_.access.is_operator(request);
  session.since = context_.server_time();
  session.absent_ns = network_.process_time().absent_ns();
  return std::nullopt;
}

std::variant<ReservedStation, Worker::NoCapacity> Worker::reserve(const IpAddress& client, WireFormat format,
                                                                  StationRequest want) {
  ReservedStation station;
  station.reserved = want.link.has_value();
  auto encoder = reserve_encoder(client, format, want.id, station.reserved);
  if (!encoder) return NoCapacity{503, false, std::string(kNoEncoder)};
  station.encoder = *std::move(encoder);
  if (station.reserved) {
    auto personal = reserve_personal(client);
    if (auto* none = std::get_if<NoCapacity>(&personal)) return std::move(*none);
    station.personal = std::get<SharedPermit>(std::move(personal));
  }
  station.want = std::move(want);
  return station;
}

std::variant<SharedPermit, Worker::NoCapacity> Worker::reserve_personal(const IpAddress& client) {
  SharedPermit permit = context_.personal.acquire_shared(client);
  if (!permit) {
    return NoCapacity{429, true,
                      "Too many personal stations from this address (max_personal_stations_per_address); "
                      "try again later."};
  }
  if (context_.pending_personal.fetch_add(1, std::memory_order_relaxed) < directory_->free_capacity)
    return permit;
  context_.pending_personal.fetch_sub(1, std::memory_order_relaxed);
  return NoCapacity{503, true, "No capacity for another personal station; try again later."};
}

std::optional<SharedPermit> Worker::reserve_encoder(const IpAddress& client, WireFormat format,
                                                    const StationId& station, bool own) {
  if (!is_opus(format)) return SharedPermit();
  // A station that is not in the directory is still to come; the conductor knows more of it.
  const auto* const entry = directory_->find(station);
  const bool unspecified = station == StationId{};
  if (!own && (unspecified || (entry != nullptr && (!entry->personal || entry->encoded))))
    return SharedPermit();
  SharedPermit permit = context_.encoders.acquire_shared(client);
  return permit ? std::optional(std::move(permit)) : std::nullopt;
}

// If the listener still waits for its station, the conductor knows more, and decides.
std::optional<SharedPermit> Worker::reserve_encoder(const Session& session, WireFormat format) {
  const StationId& station = session.listener->station();
  const bool waits = station == StationId{};
  auto encoder = reserve_encoder(session.client, format, station, waits);
  return waits ? encoder.value_or(SharedPermit()) : encoder;
}

// A listener that cannot have Opus stays with PCM.
void Worker::step_down(ConnectionId id) {
  const Session* const session = find_open(id);
  if (session == nullptr) return;
  const auto encoder = reserve_encoder(*session, WireFormat::kOpus);
  if (encoder) conductor_.set_format(id, {WireFormat::kOpus, true, *encoder});
}

HttpResponse Worker::station_refused(const HttpRequest& request, const StationRefusal& refusal) {
  note_rejection(metrics_.rejected_station, context_.access.client_of(request));
  return refusal.status() == 503 ? retry_later(503, refusal.sentence, kRetryAfterSeconds)
                                 : text_response(refusal.status(), refusal.sentence);
}

HttpResponse Worker::stopping_response(const HttpRequest& request) {
  note_rejection(metrics_.rejected_limit, context_.access.client_of(request));
  return retry_later(503, "The server is stopping.", kRetryAfterSeconds);
}

void Worker::note_rejection(StreamMetrics::Rejection& why, const GroupedLog::Client& client) {
  why.counter.add();
  context_.grouped_log.note(GroupedLog::Event::kConnectionRefused, why.reason, client);
}

}  // namespace auralis
