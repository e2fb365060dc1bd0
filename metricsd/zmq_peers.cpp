// SPDX-License-Identifier: MIT
#include "metricsd/zmq_peers.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <tuple>

#include "common/base/log.h"

namespace auralis {
namespace {

constexpr int kEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_MONITOR_STOPPED;

// Endpoint of the socket's monitor, unique within its context.
constexpr const char* kMonitor = "inproc://peers";

// Maximum delay until a subscription is noted while there are no events.
constexpr int kWaitMs = 100;

struct Event {
  std::uint16_t kind = ZMQ_EVENT_MONITOR_STOPPED;
  std::int32_t descriptor = -1;
};

Event event_of(const zmq::message_t& message) {
  Event event;
  if (message.size() < sizeof event.kind + sizeof event.descriptor) return event;
  const auto* bytes = static_cast<const char*>(message.data());
  std::memcpy(&event.kind, bytes, sizeof event.kind);
  std::memcpy(&event.descriptor, bytes + sizeof event.kind, sizeof event.descriptor);
  return event;
}

}  // namespace

ZmqPeers::ZmqPeers(zmq::context_t& context, zmq::socket_t& socket)
    : socket_(socket), events_(context, zmq::socket_type::pair) {
  events_.set(zmq::sockopt::linger, 0);
  events_.set(zmq::sockopt::rcvtimeo, kWaitMs);
  if (zmq_socket_monitor(socket.handle(), kMonitor, kEvents) != 0) throw zmq::error_t();
  events_.connect(kMonitor);
  thread_ = std::thread(&ZmqPeers::watch, this);
}

ZmqPeers::~ZmqPeers() {
  zmq_socket_monitor(socket_.handle(), nullptr, 0);  // its last event ends the thread
  thread_.join();
}

void ZmqPeers::bound_at(const std::string& endpoint) {
  const MutexLock lock(mutex_);
  constexpr std::string_view kIpc = "ipc://";
  if (endpoint.compare(0, kIpc.size(), kIpc) == 0) {
    path_ = endpoint.substr(kIpc.size());
  } else {
    port_ = static_cast<std::uint16_t>(
        std::strtoul(endpoint.substr(endpoint.rfind(':') + 1).c_str(), nullptr, 10));
  }
}

void ZmqPeers::subscribed(int descriptor, std::string_view topic, bool foreign) {
  const MutexLock lock(mutex_);
  subscribed_.push_back(descriptor);
  const auto peer = peers_.find(descriptor);
  if (peer == peers_.end() || !foreign) return;
  peer->second.foreign_topics += 1;
  peer->second.foreign_bytes += topic.size();
  if (peer->second.foreign_topics <= kForeignTopics && peer->second.foreign_bytes <= kForeignBytes) return;
  log_warning("ZeroMQ subscriber disconnected: too many subscriptions to foreign topics");
  cut_off(descriptor);
}

// A subscription may be reported before the event of its connection has been read here, or while events are
// read. ZeroMQ queues that event first: so a report is noted after each reading of events, and is done with
// once a reading began after it.
void ZmqPeers::watch() {
  for (;;) {
    const auto reported = static_cast<std::ptrdiff_t>(reports());
    if (!read_events()) return;
    const MutexLock lock(mutex_);
    note_subscribed();
    subscribed_.erase(subscribed_.begin(), subscribed_.begin() + reported);
    cut_off_excess();
  }
}

std::size_t ZmqPeers::reports() {
  const MutexLock lock(mutex_);
  return subscribed_.size();
}

// Waits for an event, at most kWaitMs, and reads all queued ones. False if there will be no more.
bool ZmqPeers::read_events() {
  auto flags = zmq::recv_flags::none;
  for (;;) {
    zmq::message_t first;
    zmq::message_t address;
    try {
      if (!events_.recv(first, flags) || !events_.recv(address)) return true;
    } catch (const zmq::error_t& error) {
      if (error.num() == EINTR) continue;
      return false;
    }
    flags = zmq::recv_flags::dontwait;
    const Event event = event_of(first);
    if (event.kind == ZMQ_EVENT_MONITOR_STOPPED) return false;
    const MutexLock lock(mutex_);
    if (event.kind == ZMQ_EVENT_ACCEPTED) peers_[event.descriptor] = Peer{++accepted_};
    if (event.kind == ZMQ_EVENT_DISCONNECTED) peers_.erase(event.descriptor);
  }
}

void ZmqPeers::note_subscribed() {
  for (const int descriptor : subscribed_) {
    const auto peer = peers_.find(descriptor);
    if (peer != peers_.end()) peer->second.subscribed = true;
  }
}

// Disconnects the oldest peer without a subscription; if all have subscribed, the newest.
void ZmqPeers::cut_off_excess() {
  const auto rank = [](const Peer& peer) {
    return std::make_tuple(peer.subscribed, peer.subscribed ? ~peer.number : peer.number);
  };
  while (peers_.size() > kPeers) {
    const auto victim = std::min_element(peers_.begin(), peers_.end(), [&](const auto& a, const auto& b) {
      return rank(a.second) < rank(b.second);
    });
    cut_off(victim->first);
  }
}

// An event may be out of date: meanwhile the descriptor number may refer to something else.
bool ZmqPeers::is_ours(int descriptor) const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return false;
  if (address.ss_family == AF_INET) {
    return port_ != 0 && ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port) == port_;
  }
  if (address.ss_family == AF_INET6) {
    return port_ != 0 && ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port) == port_;
  }
  if (address.ss_family != AF_UNIX || path_.empty()) return false;
  return path_ == reinterpret_cast<const sockaddr_un&>(address).sun_path;
}

// The descriptor belongs to ZeroMQ, which closes it on detecting the end of the connection.
void ZmqPeers::cut_off(int descriptor) {
  if (is_ours(descriptor)) ::shutdown(descriptor, SHUT_RDWR);
  peers_.erase(descriptor);
}

}  // namespace auralis
