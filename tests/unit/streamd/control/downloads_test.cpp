// SPDX-License-Identifier: MIT
#include "streamd/control/downloads.h"

#include <doctest/doctest.h>

#include "tests/unit/streamd/control/support.h"

namespace auralis::downloads_test {
namespace {

using test::http_request;

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
constexpr const char* kLink = "station=new&seed=42&preset=sleep";

// Connections with even numbers, which are one worker's.
struct Fixture : test::ControlFixture {
  explicit Fixture(const Change& change = [](Config&) {}) : ControlFixture(change) {
    context.can_render = true;
    start_synth();
    advance(kChunkNs);
  }

  HttpResponse request(ConnectionId id, std::string_view query = kLink,
                       std::string_view path = "/download/5.opus", std::string_view address = "192.0.2.7") {
    HttpRequest asked = http_request("GET", path, query);
    asked.peer = parse_ip_address(std::string(address)).value();
    return ask(id, asked);
  }
  // The connection's header was sent.
  const ChildCommand& open(ConnectionId id) {
    worker(id).opened(id, transport().sink(id));
    return network(id).children.back();
  }
  test::RecordingTransport& transport() { return network(2).transport; }
  std::string sent(ConnectionId id) {
    std::string all;
    for (const auto& message : transport().sent[id]) all += payload_of(*message);
    return all;
  }
  // Absent until it counts.
  double ended(const std::string& result) {
    double sum = 0;
    for (const MetricSample& sample : own[0].samples()) {
      if (sample.spec.name == "auralis_downloads_total" && sample.spec.labels.at(0).value == result)
        sum += sample.value;
    }
    return sum;
  }
};

std::string argument(const ChildCommand& command, const std::string& option) {
  const auto found = std::find(command.words.begin(), command.words.end(), option);
  return found == command.words.end() ? "" : *(found + 1);
}

TEST_CASE_FIXTURE(Fixture, "a download is what the program writes for the permalink, piece by piece") {
  const HttpResponse response = request(2);
  CHECK(response.status == 200);
  CHECK(response.stream);
  CHECK(response.content_type == "audio/ogg");
  const ChildCommand& command = open(2);
  CHECK(command.words.front() == render_program);
  CHECK(argument(command, "--seconds") == "300");
  CHECK(argument(command, "--link").find("seed=42") != std::string::npos);
  CHECK(command.words.back() == "-");

  command.on_output("first ");
  CHECK(network(2).pieces_asked == 1);
  transport().answer = SendResult::kPending;
  command.on_output("second");
  CHECK(network(2).pieces_asked == 1);
  worker(2).written(2);
  CHECK(network(2).pieces_asked == 2);
  CHECK(sent(2) == "first second");

  command.on_end(0);
  CHECK(transport().closed.count(2) == 0);
  CHECK(ended("complete") == 0);
  worker(2).written(2);  // the end of the body
  CHECK(close_code(2) == close_code::kComplete);
  CHECK(network(2).pieces_asked == 2);
  worker(2).closed(2, ConnectionEnd::kClosed);
  CHECK(ended("complete") == 1);
  CHECK(ended("aborted") == 0);
  CHECK(network(2).children_ended == 1);
}

TEST_CASE_FIXTURE(Fixture, "a client that goes away ends the process, whose permit lasts until it is gone") {
  request(2);
  const std::shared_ptr<const void> hold = open(2).hold;
  network(2).children.clear();
  worker(2).closed(2, ConnectionEnd::kReset);
  CHECK(network(2).children_ended == 1);
  CHECK(ended("aborted") == 1);
  CHECK(request(4).status == 429);
  CHECK(downloads.taken() == 1);
}

TEST_CASE_FIXTURE(Fixture, "an address has one download at a time, and there are not too many") {
  CHECK(request(2).status == 200);
  CHECK(request(4).status == 429);
  CHECK(request(6, kLink, "/download/5.opus", "192.0.2.8").status == 200);
  const HttpResponse full = request(8, kLink, "/download/5.opus", "192.0.2.9");
  CHECK(full.status == 503);
  CHECK(ended("refused") == 2);
  worker(2).closed(2, ConnectionEnd::kClosed);
  CHECK(request(8).status == 200);
}

TEST_CASE_FIXTURE(Fixture, "what cannot be rendered is refused by a sentence, and starts nothing") {
  CHECK(request(2, "station=new").status == 400);
  CHECK(request(2, "station=default").status == 400);
  CHECK(request(2, "station=new&seed=x").status == 400);
  CHECK(request(2, "station=other").status == 404);
  CHECK(request(2, "station=new&seed=1&rate=44100&chunk=100&at=0&bar=1000-99999999").status == 400);
  CHECK(request(2, kLink, "/download/61.opus").status == 400);
  CHECK(request(2, kLink, "/download/0.opus").status == 404);
  CHECK(request(2, kLink, "/download/x.opus").status == 404);
  CHECK(request(2, kLink, "/download/5.wav").status == 404);
  context.stopping = true;
  CHECK(request(2).status == 503);
  CHECK(downloads.taken() == 0);
}

TEST_CASE_FIXTURE(Fixture, "HEAD tells whether there would be one, and takes none") {
  HttpRequest head = http_request("HEAD", "/download/5.opus", kLink);
  const HttpResponse response = ask(2, head);
  CHECK(response.status == 200);
  CHECK_FALSE(response.stream);
  CHECK(downloads.taken() == 0);
}

TEST_CASE_FIXTURE(Fixture, "without the program, or if none are allowed, none are offered") {
  CHECK(context.download_minutes() == 60);
  context.can_render = false;
  CHECK(context.download_minutes() == 0);
  CHECK(request(2).status == 404);
}

TEST_CASE("where none are allowed, none are offered") {
  Fixture fixture([](Config& config) { config.streamd.max_downloads = 0; });
  CHECK(fixture.request(2).status == 404);
}

TEST_CASE_FIXTURE(Fixture, "a program that fails, or is missing, breaks the connection off") {
  request(2);
  open(2).on_end(1);
  CHECK(close_code(2) == close_code::kNoProgress);
  worker(2).closed(2, ConnectionEnd::kClosed);
  CHECK(ended("failed") == 1);

  network(2).can_start = false;
  network(2).children.clear();
  CHECK(request(4).status == 200);
  worker(4).opened(4, transport().sink(4));
  CHECK(close_code(4) == close_code::kNoProgress);
  worker(4).closed(4, ConnectionEnd::kClosed);
  CHECK(ended("failed") == 2);
  CHECK(ended("aborted") == 0);
}

TEST_CASE_FIXTURE(Fixture, "a client that takes nothing for the idle time is cut off") {
  request(2);
  const ChildCommand& command = open(2);
  transport().answer = SendResult::kPending;
  command.on_output("piece");
  advance((config.streamd.idle_timeout_s - 1) * kNsPerSecond);
  CHECK(transport().closed.count(2) == 0);
  advance(2 * kNsPerSecond);
  worker(2).check_timeouts();
  CHECK(close_code(2) == close_code::kNoProgress);
}

TEST_CASE_FIXTURE(Fixture, "a download that takes longer than the music is cut off") {
  request(2);
  const ChildCommand& command = open(2);
  for (int minute = 0; minute < 4; ++minute) {
    command.on_output("piece");
    advance(60 * kNsPerSecond);
    worker(2).check_timeouts();
  }
  CHECK(transport().closed.count(2) == 0);
  advance(61 * kNsPerSecond);
  worker(2).check_timeouts();
  CHECK(close_code(2) == close_code::kNoProgress);
}

TEST_CASE_FIXTURE(Fixture, "a connection that breaks while a piece is sent is closed") {
  request(2);
  const ChildCommand& command = open(2);
  transport().answer = SendResult::kFailed;
  command.on_output("piece");
  CHECK(close_code(2) == close_code::kNoProgress);
}

}  // namespace
}  // namespace auralis::downloads_test
