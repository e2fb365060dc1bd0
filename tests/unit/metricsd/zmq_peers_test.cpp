// SPDX-License-Identifier: MIT
#include "metricsd/zmq_peers.h"

#include <poll.h>

#include <deque>
#include <thread>

#include "metricsd/zmq_publisher.h"
#include "tests/unit/metricsd/subscriber.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::zmq_peers_test {
namespace {

using namespace test;

// Returns the bytes that a subscriber of ZMTP 3.0 sends before it subscribes.
std::string handshake() {
  const std::string mechanism = std::string("NULL") + std::string(16, '\0');
  const std::string greeting = std::string("\xff") + std::string(8, '\0') + "\x7f\x03" +
                               std::string(1, '\0') + mechanism + std::string(32, '\0');
  const std::string type = std::string("\x0bSocket-Type") + std::string(3, '\0') + "\x03SUB";
  const std::string ready = "\x05READY" + type;
  return greeting + "\x04" + static_cast<char>(ready.size()) + ready;
}

// A peer at a Unix socket that shakes hands, and subscribes to nothing by itself.
class SilentPeer {
 public:
  explicit SilentPeer(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    require(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect");
    const std::string words = handshake();
    require(::send(socket_, words.data(), words.size(), MSG_NOSIGNAL) > 0, "send");
  }
  ~SilentPeer() { ::close(socket_); }
  SilentPeer(const SilentPeer&) = delete;
  SilentPeer& operator=(const SilentPeer&) = delete;

  // After the handshake: what comes with it ZeroMQ leaves unread.
  void subscribe(const std::string& topic) const {
    constexpr std::size_t kGreetingBytes = 64;
    std::string received;
    while (received.size() < kGreetingBytes + 2 ||
           received.size() < kGreetingBytes + 2 + static_cast<unsigned char>(received[kGreetingBytes + 1])) {
      char byte = 0;
      require(::recv(socket_, &byte, 1, 0) == 1, "recv");
      received += byte;
    }
    const std::string body = "\x01" + topic;
    const std::string frame = std::string(1, '\0') + static_cast<char>(body.size()) + body;
    require(::send(socket_, frame.data(), frame.size(), MSG_NOSIGNAL) > 0, "send");
  }

  // Waits so long for the end of the connection.
  bool is_cut_off(int wait_ms) const {
    char part[256];
    for (;;) {
      pollfd readable{socket_, POLLIN, 0};
      if (::poll(&readable, 1, wait_ms) != 1) return false;
      if (::recv(socket_, part, sizeof part, 0) <= 0) return true;
    }
  }

 private:
  int socket_;
};

}  // namespace

TEST_CASE("ZmqPeers: of too many connections the oldest that did not subscribe go, over a Unix socket, too") {
  const TempDir folder;
  const std::string path = (folder.path() / "socket").string();
  ZmqPublisher publisher("ipc://" + path);
  Subscriber subscriber(publisher.endpoint(), "metrics");
  REQUIRE(subscriber.first([&] { publisher.publish("metrics", "1"); }).size() == 2);
  std::deque<SilentPeer> peers;
  for (std::size_t peer = 0; peer < ZmqPeers::kPeers + 4; ++peer) peers.emplace_back(path);
  for (std::size_t peer = 0; peer < 5; ++peer) CHECK(peers[peer].is_cut_off(20'000));
  for (std::size_t peer = 5; peer < peers.size(); ++peer) CHECK_FALSE(peers[peer].is_cut_off(0));
  while (!subscriber.next().empty()) {
  }
  publisher.publish("metrics", "2");
  const auto frames = subscriber.next();
  REQUIRE(frames.size() == 2);
  CHECK(frames[1] == "2");
}

TEST_CASE("ZmqPeers: a subscription that is reported before its connection is known counts") {
  const TempDir folder;
  const std::string path = (folder.path() / "socket").string();
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::xpub);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::xpub_verbose, true);
  ZmqPeers watched(context, socket);
  socket.bind("ipc://" + path);
  watched.bound_at("ipc://" + path);
  std::deque<SilentPeer> subscribers;
  for (std::size_t peer = 0; peer < ZmqPeers::kPeers - 1; ++peer) {
    subscribers.emplace_back(path).subscribe("event");
    zmq::message_t received;
    REQUIRE(socket.recv(received));
    watched.subscribed(received.get(ZMQ_SRCFD), "event", false);
  }
  std::deque<SilentPeer> silent;
  for (std::size_t peer = 0; peer < 10; ++peer) silent.emplace_back(path);
  for (std::size_t peer = 0; peer < 9; ++peer) CHECK(silent[peer].is_cut_off(20'000));
  for (const SilentPeer& peer : subscribers) CHECK_FALSE(peer.is_cut_off(0));
}

TEST_CASE("ZmqPeers: a subscriber may want some topics of other publishers, but not any number") {
  ZmqPublisher publisher("tcp://127.0.0.1:*");
  for (const std::size_t foreign : {ZmqPeers::kForeignTopics, ZmqPeers::kForeignTopics + 40}) {
    zmq::context_t context;
    zmq::socket_t socket(context, zmq::socket_type::sub);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, Subscriber::kPartMs);
    socket.set(zmq::sockopt::reconnect_ivl, -1);
    for (std::size_t topic = 0; topic < foreign; ++topic) {
      socket.set(zmq::sockopt::subscribe, "other" + std::to_string(topic));
    }
    socket.set(zmq::sockopt::subscribe, "event");
    zmq_socket_monitor(socket.handle(), "inproc://subscriber", ZMQ_EVENT_DISCONNECTED);
    zmq::socket_t events(context, zmq::socket_type::pair);
    events.set(zmq::sockopt::linger, 0);
    events.connect("inproc://subscriber");
    events.set(zmq::sockopt::rcvtimeo, Subscriber::kPartMs);
    socket.connect(publisher.endpoint());
    bool served = false;
    bool cut_off = false;
    zmq::message_t message;
    for (int attempt = 0; attempt < Subscriber::kAttempts && !served && !cut_off; ++attempt) {
      publisher.publish("event", "body");
      served = socket.recv(message).has_value();
      if (!served) cut_off = events.recv(message).has_value();
    }
    CHECK(served == (foreign <= ZmqPeers::kForeignTopics));
    CHECK(cut_off == (foreign > ZmqPeers::kForeignTopics));
  }
}

}  // namespace auralis::zmq_peers_test
