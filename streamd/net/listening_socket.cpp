// SPDX-License-Identifier: MIT
#include "streamd/net/listening_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "common/access/ip_address.h"
#include "common/base/log.h"

namespace auralis {
namespace {

constexpr int kBacklog = 4'096;  // as Backlog= of systemd/auralis-streamd.socket

constexpr std::string_view kApplyAddress =
    "to apply the configuration: systemctl daemon-reload && systemctl stop auralis-streamd.socket "
    "auralis-streamd.service && systemctl start auralis.target";

std::string host_and_port(const std::string& host, std::uint16_t port) {
  return (host.find(':') != std::string::npos ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

[[noreturn]] void fail(const std::string& address, const std::string& why) {
  throw ListenError("cannot listen on " + address + ": " + why);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  std::uint16_t port() const {
    const void* const bytes = &storage;
    return ntohs(storage.ss_family == AF_INET6 ? static_cast<const sockaddr_in6*>(bytes)->sin6_port
                                               : static_cast<const sockaddr_in*>(bytes)->sin_port);
  }
  std::string text() const {
    // An IPv6 wildcard is written as such, not as an address of IPv4.
    const IpAddress address = ip_address_of(storage);
    const bool any = address == IpAddress{};
    return host_and_port(any && storage.ss_family == AF_INET6 ? "::" : address.text(), port());
  }
  bool is_any() const {
    const std::string host = ip_address_of(storage).text();
    return host == "0.0.0.0" || host == "::";
  }
};

SocketAddress address_of(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  const std::string name = host == "localhost" ? "127.0.0.1" : host;
  if (inet_pton(AF_INET, name.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, name.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof(sockaddr_in6);
  } else {
    fail(host_and_port(host, port), "the host is not an IP address");
  }
  return address;
}

ListeningSocket bound_socket(const SocketAddress& address, const std::string& name) {
  FileDescriptor socket(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket.is_open()) fail(name, std::strerror(errno));
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 ||
      ::listen(socket.get(), kBacklog) != 0)
    fail(name, std::string(std::strerror(errno)) + "; is the port taken? Choose another with --port");
  return {std::move(socket), name, false};
}

// Nothing if none is passed.
std::optional<FileDescriptor> passed_socket() {
  const int count = sd_listen_fds(1);
  if (count <= 0) return std::nullopt;
  FileDescriptor socket(SD_LISTEN_FDS_START);
  if (count > 1)
    fail("the sockets that systemd passes",
         std::to_string(count) + " are too many; keep one ListenStream= in auralis-streamd.socket");
  if (sd_is_socket(socket.get(), AF_UNSPEC, SOCK_STREAM, 1) <= 0 ||
      sd_is_socket(socket.get(), AF_UNIX, 0, -1) > 0)
    fail("the socket that systemd passes",
         "it is no TCP socket that listens; see ListenStream= in auralis-streamd.socket");
  const int flags = ::fcntl(socket.get(), F_GETFL);
  ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK);
  return socket;
}

}  // namespace

ListeningSocket open_listening_socket(const std::string& host, std::uint16_t port) {
  const SocketAddress configured = address_of(host, port);
  std::optional<FileDescriptor> passed = passed_socket();
  if (!passed) return bound_socket(configured, host_and_port(host, port));
  SocketAddress actual;
  ::getsockname(passed->get(), reinterpret_cast<sockaddr*>(&actual.storage), &actual.size);
  const std::string there = host_and_port(host, port);
  if (actual.is_any() && !configured.is_any())
    fail(there,
         "systemd's socket is open at " + actual.text() + ", which is more; " + std::string(kApplyAddress));
  const bool same_host =
      actual.is_any() || ip_address_of(actual.storage) == ip_address_of(configured.storage);
  if (!same_host || actual.port() != port) {
    log_warning("systemd's socket is at another address than configured; " + std::string(kApplyAddress),
                {{"socket", actual.text()}, {"configured", there}});
  }
  return {std::move(*passed), actual.text(), true};
}

}  // namespace auralis
