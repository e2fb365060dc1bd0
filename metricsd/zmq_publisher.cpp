// SPDX-License-Identifier: MIT
#include "metricsd/zmq_publisher.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/base/file_descriptor.h"
#include "metricsd/zmq_authenticator.h"
#include "metricsd/zmq_peers.h"

namespace auralis {
namespace {

// Messages queued for a slow subscriber: more than the events of a second. Their bytes are shared between all
// subscribers.
constexpr int kQueuedMessages = 100;

// Subscriptions queued per peer before it has to wait. ZeroMQ reads while there is input, so a short queue
// also bounds that.
constexpr int kQueuedSubscriptions = 100;
constexpr int kSubscriptionsAtOnce = 1'000;

// The longest frame that a peer may send: a handshake, or a subscription.
constexpr std::int64_t kMaxReceivedBytes = 1'024;

constexpr int kHandshakeMs = 2'000;
constexpr int kKeepAliveS = 30;
constexpr char kSubscribe = 1;

// Whether a subscription to `text` matches what is published here.
bool begins_a_topic(std::string_view text) {
  return std::any_of(kTopics.begin(), kTopics.end(),
                     [&](std::string_view topic) { return topic.substr(0, text.size()) == text; });
}

// Whether another process listens at the Unix socket of an ipc endpoint: ZeroMQ would silently steal its
// name.
bool ipc_taken(const std::string& endpoint) {
  constexpr std::string_view kScheme = "ipc://";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (endpoint.compare(0, kScheme.size(), kScheme) != 0) return false;
  const std::string path = endpoint.substr(kScheme.size());
  if (path.empty() || path[0] == '@' || path[0] == '*' || path.size() >= sizeof address.sun_path)
    return false;
  path.copy(address.sun_path, path.size());
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe.is_open() &&
         ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// Whether it ends with a port out of range: ZeroMQ would silently bind another one.
bool port_too_high(const std::string& endpoint) {
  constexpr unsigned long kMaxPort = 65'535;
  const std::string port = endpoint.substr(endpoint.rfind(':') + 1);
  const bool number = !port.empty() && port.find_first_not_of("0123456789") == std::string::npos;
  return number && std::strtoul(port.c_str(), nullptr, 10) > kMaxPort;
}

}  // namespace

struct ZmqPublisher::Impl {
  zmq::context_t context{1};
  std::optional<ZmqAuthenticator> authenticator;
  zmq::socket_t socket{context, zmq::socket_type::xpub};
  ZmqPeers peers{context, socket};
  bool history_requested = false;

  void set_options(bool ipv6) {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::sndhwm, kQueuedMessages);
    socket.set(zmq::sockopt::rcvhwm, kQueuedSubscriptions);
    socket.set(zmq::sockopt::xpub_verbose,
               true);  // also report topics that another peer has already subscribed to
    socket.set(zmq::sockopt::maxmsgsize, kMaxReceivedBytes);
    socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
    // Detect hosts that vanished. Not by ZeroMQ's heartbeats: they would mistake a stop of this process for
    // one of all peers.
    socket.set(zmq::sockopt::tcp_keepalive, 1);
    socket.set(zmq::sockopt::tcp_keepalive_idle, kKeepAliveS);
    socket.set(zmq::sockopt::tcp_keepalive_intvl, kKeepAliveS);
    socket.set(zmq::sockopt::ipv6, ipv6);
  }

  void set_keys(const ZmqKeys& keys) {
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::curve_secretkey, keys.secret_key.bytes());
    if (!keys.clients) return;
    authenticator.emplace(context, *keys.clients);
    socket.set(zmq::sockopt::zap_domain, "auralis");  // without an authenticator, it would admit no one
  }

  // Reads the subscribers' messages, up to a limit, so that a flood of them does not delay publishing.
  void read_subscriptions() {
    for (int message = 0; message < kSubscriptionsAtOnce; ++message) {
      zmq::message_t received;
      if (!socket.recv(received, zmq::recv_flags::dontwait)) return;
      const std::string_view bytes(static_cast<const char*>(received.data()), received.size());
      if (bytes.empty() || bytes.front() != kSubscribe) continue;
      const std::string_view topic = bytes.substr(1);
      history_requested |= kHistoryTopic.substr(0, topic.size()) == topic;
      peers.subscribed(received.get(ZMQ_SRCFD), topic, !begins_a_topic(topic));
    }
  }
};

ZmqPublisher::ZmqPublisher(const std::string& endpoint, const std::optional<ZmqKeys>& keys) try
    : impl_(std::make_unique<Impl>()) {
  impl_->set_options(endpoint.find('[') != std::string::npos);
  if (keys) impl_->set_keys(*keys);
  if (port_too_high(endpoint)) throw std::runtime_error("port out of range");
  if (ipc_taken(endpoint)) throw std::runtime_error("another process listens there");
  impl_->socket.bind(endpoint);
  impl_->peers.bound_at(this->endpoint());
} catch (const std::exception& error) {
  throw std::runtime_error("cannot publish at '" + endpoint + "' (metricsd.zmq_endpoint): " + error.what());
}
ZmqPublisher::~ZmqPublisher() = default;

std::string ZmqPublisher::endpoint() const { return impl_->socket.get(zmq::sockopt::last_endpoint); }

bool ZmqPublisher::take_history_request() {
  impl_->read_subscriptions();
  return std::exchange(impl_->history_requested, false);
}

void ZmqPublisher::publish(std::string_view topic, std::string_view body) {
  impl_->read_subscriptions();
  impl_->socket.send(zmq::buffer(topic), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
  impl_->socket.send(zmq::buffer(body), zmq::send_flags::dontwait);
}

}  // namespace auralis
