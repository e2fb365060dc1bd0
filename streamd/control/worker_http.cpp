// SPDX-License-Identifier: MIT
// Answers of a worker over plain HTTP.
#include "streamd/control/worker.h"

#include <cassert>
#include <utility>

#include "streamd/control/overloaded.h"

namespace auralis {

std::optional<HttpResponse> Worker::http(ConnectionId id, const HttpRequest& request) {
  assert(checker_.is_current());
  using Answer = std::optional<HttpResponse>;
  return std::visit(Overloaded{
                        [](HttpResponse response) -> Answer { return response; },
                        [&](ReadyCall) -> Answer { return ready_response(); },
                        [&](StatusCall) -> Answer {
                          conductor_.answer_status(caller(id, request), request.query);
                          return std::nullopt;
                        },
                        [&](ControlCall) { return control(id, request); },
                        [&](ListenersCall) -> Answer {
                          if (auto refusal = operators_only(request)) return refusal;
                          conductor_.answer_listeners(caller(id, request));
                          return std::nullopt;
                        },
                        [&](CloseCall call) -> Answer {
                          if (auto refusal = operators_only(request)) return refusal;
                          conductor_.answer_close(caller(id, request), call.listener);
                          return std::nullopt;
                        },
                        [&](ListenCall call) -> Answer { return listen(id, request, call); },
                        [&](PlaylistCall call) -> Answer { return playlist(request, call.station); },
                        [&](DownloadCall call) -> Answer { return download(id, request, call); },
                    },
                    route(request));
}

std::optional<HttpResponse> Worker::operators_only(const HttpRequest& request) {
  auto refusal = context_.access.operators_only(request);
  if (refusal) {
    const std::string reason = refusal->status == 401 ? "token" : "no_token_configured";
    context_.grouped_log.note(GroupedLog::Event::kOperatorRefused, reason,
                              context_.access.client_of(request));
  }
  return refusal;
}

HttpCaller Worker::caller(ConnectionId id, const HttpRequest& request) const {
  const AccessPolicy& access = context_.access;
  return {index_, id, access.actor(access.client_of(request), access.is_operator(request))};
}

HttpResponse Worker::ready_response() const {
  if (context_.stopping) return text_response(503, "the server is stopping");
  const auto& reason = directory_->not_ready_reason;
  if (reason) return text_response(503, *reason);
  // The next connection may be another worker's, which would still refuse every station.
  if (context_.workers_not_ready.load(std::memory_order_relaxed) > 0)
    return text_response(503, "starting: not every network thread knows the stations yet");
  return text_response(200, "ready");
}

std::optional<HttpResponse> Worker::control(ConnectionId id, const HttpRequest& request) {
  ChangeRequest change = parse_change_request(request.body);
  if (!context_.access.is_operator(request)) {
    if (auto refusal = control_refusal(request, change)) return refusal;
  }
  conductor_.answer_control(caller(id, request), std::move(change));
  return std::nullopt;
}

// For clients that are not operators. A client that may not listen to a station may not change it either: the
// request is bound to the station that the ticket grants access to.
std::optional<HttpResponse> Worker::control_refusal(const HttpRequest& request, ChangeRequest& change) {
  const auto note = [&](const char* reason) {
    context_.grouped_log.note(GroupedLog::Event::kControlRefused, reason, context_.access.client_of(request));
  };
  if (!context_.access.origin_allowed(request)) {
    note("origin");
    return error_response(403, {"not_allowed", "Origin not allowed (see allowed_origins).", {}});
  }
  if (!context_.access.listeners_control()) return operators_only(request);
  try {
    const StationRequest meant =
        change.station ? station_by_name(*directory_, *change.station) : station_by_query(*directory_, {});
    if (const auto why = ticket_refusal(meant, request.query.ticket())) {
      note("ticket");
      HttpResponse response = error_response(401, {"no_ticket", *why, {}});
      response.headers.emplace_back("WWW-Authenticate", "Ticket");
      return response;
    }
    if (!meant.name.empty()) change.station = meant.name;
  } catch (const StationRefusal& refusal) {
    note("station");
    return error_response(refusal.status(), {std::string(refusal.code()), refusal.sentence, {}});
  }
  if (control_requests_.take(context_.clock.now_ns())) return std::nullopt;
  note("rate");
  HttpResponse response =
      error_response(429, {"rate_limited", "Too many control requests; try again later.", {}});
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse Worker::listen(ConnectionId id, const HttpRequest& request, const ListenCall& call) {
  if (context_.stopping) return stopping_response(request);
  const bool ogg = call.format == WireFormat::kOggOpus;
  const HttpResponse response = stream_response(ogg ? "audio/ogg" : "audio/wav", request);
  try {
    StationRequest want = station_by_name(*directory_, call.station);
    auto refusal = entry_refusal(request, want, request.query.ticket());
    FormatSet formats;
    formats.set(static_cast<std::size_t>(call.format));
    if (!refusal && response.stream)
      refusal = open_session(id, request, std::move(want), formats, call.format);
    return refusal.value_or(response);
  } catch (const StationRefusal& refusal) {
    return station_refused(request, refusal);
  }
}

// The stream's URL under the host that the client named; relative to the playlist if it named none.
HttpResponse Worker::playlist(const HttpRequest& request, std::string_view station) {
  try {
    const StationRequest want = station_by_name(*directory_, station);
    const bool encrypted = context_.access.came_encrypted(request);
    std::string url = want.name + ".opus";
    if (!request.host.empty())
      url = (encrypted ? "https://" : "http://") + std::string(request.host) + "/listen/" + url;
    if (!request.query.text().empty()) url.append("?").append(request.query.text());
    return {200, "audio/x-mpegurl", "#EXTM3U\n#EXTINF:-1," + want.name + "\n" + url + "\n", {}, false};
  } catch (const StationRefusal& refusal) {
    return station_refused(request, refusal);
  }
}

HttpResponse Worker::download(ConnectionId id, const HttpRequest& request, const DownloadCall& call) {
  if (context_.stopping) return stopping_response(request);
  try {
    const StationRequest want = station_by_query(*directory_, request.query);
    if (const auto refusal = entry_refusal(request, want, request.query.ticket())) return *refusal;
    if (!want.link || !want.link->seed || !directory_->timeline)
      return text_response(400,
                           "A download needs a permalink, with station=new and seed; see docs/music.md.");
    const Permalink& link = *want.link;
    if (directory_->timeline->first_frame(link.chunk) < link.history.first_bar_frame)
      return text_response(400, "In the link, at lies before the first bar (see docs/music.md).");
    const std::string permalink = to_query(*link.seed, link.history, *directory_->timeline, link.chunk);
    return downloads_.answer(id, request, {*link.seed, permalink}, call.minutes);
  } catch (const StationRefusal& refusal) {
    return station_refused(request, refusal);
  }
}

}  // namespace auralis
