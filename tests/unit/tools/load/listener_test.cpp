// SPDX-License-Identifier: MIT
#include "tools/load/listener.h"

#include "tests/unit/tools/load/scripted_server.h"

#include <doctest/doctest.h>

namespace auralis::listener_test {

using namespace test;

namespace {

// One listener of a server that the test plays.
struct Fixture {
  LoadOptions options;
  ScriptedServer server;
  Tally tally;
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  Listener::Shared shared{options, server.address(), tally, epoll, {}};

  Fixture() {
    options.url.host = "localhost";
    options.url.port = server.port();
    options.url.target = "/ws/stream";
    options.protocol = "auralis.json.v1";
    tally.measuring = true;
  }
  ~Fixture() { ::close(epoll); }

  // Up to the server's answer. The request is the listener's.
  std::string connect(Listener& listener) {
    listener.start(shared.clock.now_ns());
    server.accept();
    deliver_event(epoll);
    return server.read();
  }

  // A listener that has connected.
  void shake_hands(Listener& listener) {
    const std::string request = connect(listener);
    const std::string name = "Sec-WebSocket-Key: ";
    const std::size_t key = request.find(name) + name.size();
    server.write("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " +
                 websocket_accept(request.substr(key, request.find("\r\n", key) - key)) +
                 "\r\nSec-WebSocket-Protocol: " + options.protocol + "\r\n\r\n");
    deliver_event(epoll);
  }

  void send_text(const std::string& text) {
    std::string frame{'\x81'};
    if (text.size() > 125) {
      frame += {'\x7e', static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xff)};
    } else {
      frame += static_cast<char>(text.size());
    }
    server.write(frame + text);
    deliver_event(epoll);
  }
  void send_chunk(int seq) {
    send_text(R"({"type":"audio","seq":)" + std::to_string(seq) + R"(,"duration_ms":100,"data":""})");
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a listener asks for the protocol, and counts the chunks that it receives") {
  Listener listener(shared, false);
  const std::size_t sent = 3;
  shake_hands(listener);
  CHECK(tally.opened == 1);
  CHECK_FALSE(listener.waits_for_handshake());
  for (std::size_t seq = 0; seq < sent; ++seq) send_chunk(static_cast<int>(seq) + 40);
  CHECK(tally.chunks == sent);
  CHECK(tally.heard == 1);
  CHECK(tally.first_audio.count() == 1);
  CHECK(tally.missing == 0);
  CHECK(listener.settled());
}

TEST_CASE_FIXTURE(Fixture, "chunks that are missing, repeated or skipped are counted apart") {
  Listener listener(shared, false);
  shake_hands(listener);
  send_chunk(1);
  send_chunk(4);
  CHECK(tally.missing == 2);
  send_chunk(4);
  CHECK(tally.repeats == 1);
  send_text(R"({"type":"warning","code":"skipped","seq":5,"message":""})");
  CHECK(tally.skipped == 1);
  send_chunk(6);
  CHECK(tally.missing == 2);
}

TEST_CASE_FIXTURE(Fixture, "a server that refuses is counted by its status") {
  Listener listener(shared, false);
  connect(listener);
  server.write("HTTP/1.1 503 Service Unavailable\r\n\r\n");
  deliver_event(epoll);
  CHECK(tally.refused[503] == 1);
  CHECK(tally.opened == 0);
  CHECK(listener.ended());
}

TEST_CASE_FIXTURE(Fixture, "an answer that does not know the key has failed") {
  Listener listener(shared, false);
  connect(listener);
  server.write("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: none\r\n\r\n");
  deliver_event(epoll);
  CHECK(tally.failures() == 1);
  CHECK(listener.ended());
}

TEST_CASE_FIXTURE(Fixture, "a port without a server has failed") {
  server.stop_accepting();
  Listener listener(shared, false);
  listener.start(shared.clock.now_ns());
  if (!listener.ended()) deliver_event(epoll);
  CHECK(tally.failed["Connection refused"] == 1);
  CHECK(listener.ended());
}

TEST_CASE_FIXTURE(Fixture,
                  "a connection is lost with the code of its Close frame, or as abnormal without one") {
  Listener closed(shared, false);
  shake_hands(closed);
  server.write(std::string("\x88\x02\x03\xf0", 4));  // 1008
  deliver_event(epoll);
  CHECK(tally.lost[1008] == 1);
  CHECK(closed.ended());
  server.hang_up();
  Listener cut(shared, false);
  shake_hands(cut);
  server.hang_up();
  deliver_event(epoll);
  CHECK(tally.lost[kCloseAbnormal] == 1);
}

TEST_CASE_FIXTURE(Fixture, "a ping is answered with its payload, masked") {
  Listener listener(shared, false);
  shake_hands(listener);
  server.write(std::string("\x89\x02hi", 4));
  deliver_event(epoll);
  const std::string pong = server.read();
  REQUIRE(pong.size() == 8);
  CHECK(pong.substr(0, 2) == "\x8a\x82");
  CHECK((pong[6] ^ pong[2]) == 'h');
  CHECK((pong[7] ^ pong[3]) == 'i');
}

TEST_CASE_FIXTURE(Fixture,
                  "a stalled listener reads nothing, and learns only later that it was disconnected") {
  Listener listener(shared, true);
  shake_hands(listener);
  CHECK(listener.settled());
  server.write("\x81\x02{}");
  epoll_event event{};
  CHECK(::epoll_wait(epoll, &event, 1, 0) == 0);
  listener.resume();
  deliver_event(epoll);
  CHECK(tally.stalled_lost == 0);
  server.hang_up();
  deliver_event(epoll);
  CHECK(tally.stalled_lost == 1);
  CHECK(tally.losses() == 0);
}

TEST_CASE_FIXTURE(Fixture, "of a plain HTTP stream the bytes are counted") {
  options.url.websocket = false;
  options.protocol.clear();
  Listener listener(shared, false);
  CHECK(connect(listener).find("Upgrade") == std::string::npos);
  server.write("HTTP/1.1 200 OK\r\n\r\n");
  deliver_event(epoll);
  CHECK(tally.heard == 0);
  server.write("OggS");
  deliver_event(epoll);
  CHECK(tally.heard == 1);
  CHECK(tally.bytes == 4);
}

}  // namespace auralis::listener_test
