// SPDX-License-Identifier: MIT
#include "metricsd/zmq_publisher.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include <zmq.hpp>

namespace auralis {
namespace {

// Snapshots kept for a subscriber that does not keep up.
constexpr int kQueuedMessages = 10;

// Whether somebody listens at the Unix socket of an ipc endpoint: ZeroMQ would take its name away without a
// word.
bool ipc_taken(const std::string& endpoint) {
  constexpr std::string_view kScheme = "ipc://";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (endpoint.compare(0, kScheme.size(), kScheme) != 0) return false;
  const std::string path = endpoint.substr(kScheme.size());
  if (path.empty() || path[0] == '@' || path[0] == '*' || path.size() >= sizeof address.sun_path)
    return false;
  path.copy(address.sun_path, path.size());
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool taken = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return taken;
}

// Whether it ends with a port that no socket has: ZeroMQ would take another one without a word.
bool port_too_high(const std::string& endpoint) {
  constexpr unsigned long kMaxPort = 65'535;
  const std::string port = endpoint.substr(endpoint.rfind(':') + 1);
  const bool number = !port.empty() && port.find_first_not_of("0123456789") == std::string::npos;
  return number && std::strtoul(port.c_str(), nullptr, 10) > kMaxPort;
}

}  // namespace

struct ZmqPublisher::Impl {
  zmq::context_t context{1};
  zmq::socket_t socket{context, zmq::socket_type::pub};
};

ZmqPublisher::ZmqPublisher(const std::string& endpoint) try : impl_(std::make_unique<Impl>()) {
  impl_->socket.set(zmq::sockopt::linger, 0);
  impl_->socket.set(zmq::sockopt::sndhwm, kQueuedMessages);
  impl_->socket.set(zmq::sockopt::ipv6, endpoint.find('[') != std::string::npos);
  if (port_too_high(endpoint)) throw std::runtime_error("there is no such port");
  if (ipc_taken(endpoint)) throw std::runtime_error("another process listens there");
  impl_->socket.bind(endpoint);
} catch (const std::exception& error) {
  throw std::runtime_error("cannot publish at '" + endpoint + "' (metricsd.zmq_endpoint): " + error.what());
}
ZmqPublisher::~ZmqPublisher() = default;

std::string ZmqPublisher::endpoint() const { return impl_->socket.get(zmq::sockopt::last_endpoint); }

void ZmqPublisher::publish(std::string_view topic, std::string_view body) {
  impl_->socket.send(zmq::buffer(topic), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
  impl_->socket.send(zmq::buffer(body), zmq::send_flags::dontwait);
}

}  // namespace auralis
