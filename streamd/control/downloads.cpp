// SPDX-License-Identifier: MIT
#include "streamd/control/downloads.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "common/base/log.h"

namespace auralis {
namespace {

constexpr std::int64_t kSecondsPerMinute = 60;
constexpr std::int64_t kLeastMinutes = 5;  // that each may take
constexpr const char* kFadeSeconds = "4";  // where the music is cut
constexpr int kRetryAfterSeconds = 60;

}  // namespace

Downloads::Downloads(WorkerContext& context, WorkerNetwork& network, StreamMetrics& metrics)
    : context_(context), network_(network), metrics_(metrics) {}

HttpResponse Downloads::answer(ConnectionId id, const HttpRequest& request, const Music& music,
                               std::int64_t minutes) {
  const std::int64_t most = context_.download_minutes();
  if (most == 0) return text_response(404, "No downloads are offered here (max_downloads, render_program).");
  if (minutes > most)
    return text_response(400,
                         "A download has at most " + std::to_string(most) + " minutes (download_minutes).");
  const std::string name =
      "auralis-" + std::to_string(music.seed) + "-" + std::to_string(minutes) + "-minutes.opus";
  HttpResponse response = stream_response("audio/ogg", request);
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + name + "\"");
  auto permit = context_.downloads.acquire(context_.access.client_of(request));
  if (const auto* refusal = std::get_if<ConnectionLimiter::Refusal>(&permit)) {
    metrics_.downloads_refused.add();
    if (*refusal == ConnectionLimiter::Refusal::kFull)
      return retry_later(503, "Too many downloads at a time (max_downloads); try again in some minutes.",
                         kRetryAfterSeconds);
    return retry_later(429, "Only one download at a time for each address; try again when it is complete.",
                       kRetryAfterSeconds);
  }
  if (!response.stream) return response;
  Download& download = downloads_[id];
  const std::int64_t allowed_s = std::max(minutes, kLeastMinutes) * kSecondsPerMinute;
  download.ends_ns = network_.process_time().now_ns() + allowed_s * kNsPerSecond;
  download.command = {context_.render_program,
                      "--background",
                      "--fade",
                      kFadeSeconds,
                      "--seconds",
                      std::to_string(minutes * kSecondsPerMinute),
                      "--link",
                      music.permalink,
                      "-"};
  download.permit = std::make_shared<const ConnectionLimiter::Permit>(
      std::get<ConnectionLimiter::Permit>(std::move(permit)));
  return response;
}

Downloads::Download* Downloads::find(ConnectionId id) {
  const auto found = downloads_.find(id);
  return found == downloads_.end() ? nullptr : &found->second;
}

bool Downloads::opened(ConnectionId id, MessageSink& sink) {
  Download* const download = find(id);
  if (download == nullptr) return false;
  download->sink = &sink;
  try {
    // The process holds the permit: it may take a moment to end when the client is gone.
    download->output =
        network_.run_child({std::move(download->command), std::move(download->permit),
                            [this, id](std::string_view piece) { send(id, make_http_chunk(piece)); },
                            [this, id](int status) { rendered(id, status); }});
  } catch (const std::system_error& error) {
    fail(id, error.what());
  }
  return true;
}

void Downloads::send(ConnectionId id, const WireMessagePtr& message) {
  Download& download = downloads_.at(id);
  switch (download.sink->transmit(message)) {
    case SendResult::kTaken:
      return go_on(id, download);
    case SendResult::kPending:
      download.waits_since_ns = network_.process_time().now_ns();
      return;
    case SendResult::kFailed:
      write_failed(id);
  }
}

void Downloads::go_on(ConnectionId id, Download& download) {
  if (!download.rendered) return download.output->read_on();
  download.counted = true;
  metrics_.downloads_complete.add();
  network_.close(id, close_code::kComplete, {});
}

bool Downloads::written(ConnectionId id) {
  Download* const download = find(id);
  if (download == nullptr) return false;
  download->waits_since_ns = -1;
  go_on(id, *download);
  return true;
}

bool Downloads::write_failed(ConnectionId id) {
  if (find(id) == nullptr) return false;
  network_.close(id, close_code::kNoProgress, {});
  return true;
}

void Downloads::rendered(ConnectionId id, int status) {
  if (status != 0) return fail(id, "it ended with status " + std::to_string(status));
  downloads_.at(id).rendered = true;
  // Not left to close(): the end of the body tells the client that it has all of it.
  send(id, make_last_http_chunk());
}

// The client learns of it by the missing end of the body.
void Downloads::fail(ConnectionId id, const std::string& why) {
  // A stop of the service may end the program as well.
  if (!context_.stopping) {
    downloads_.at(id).counted = true;
    metrics_.downloads_failed.add();
    log_warning("a download failed", {{"program", context_.render_program}, {"error", why}});
  }
  network_.close(id, close_code::kNoProgress, {});
}

bool Downloads::closed(ConnectionId id) {
  Download* const download = find(id);
  if (download == nullptr) return false;
  if (!download->counted) metrics_.downloads_aborted.add();
  downloads_.erase(id);
  return true;
}

void Downloads::check_timeouts() {
  const std::int64_t limit_ns = context_.config.streamd.idle_timeout_s * kNsPerSecond;
  const std::int64_t now_ns = network_.process_time().now_ns();
  for (const auto& [id, download] : downloads_) {
    const bool stands_still = download.waits_since_ns >= 0 && now_ns - download.waits_since_ns >= limit_ns;
    if (stands_still || now_ns >= download.ends_ns) network_.close(id, close_code::kNoProgress, {});
  }
}

}  // namespace auralis
