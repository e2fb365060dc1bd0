// SPDX-License-Identifier: MIT
#include "tools/connection.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/clock.h"
#include "tools/arguments.h"
#include "tools/wire.h"

namespace auralis {
namespace {

constexpr std::size_t kReadBytes = 65'536;
constexpr std::size_t kLongestBody = 1'048'576;
constexpr int kOk = 200;

// Milliseconds that poll() may take, rounded up.
int patience_ms(std::int64_t deadline_ns) {
  const std::int64_t left_ns = std::max<std::int64_t>(0, deadline_ns - SystemClock().now_ns());
  return static_cast<int>((left_ns + kNsPerMs - 1) / kNsPerMs);
}

}  // namespace

std::string first_line(std::string_view body) {
  constexpr std::size_t kLongest = 200;
  return shown(std::string(body.substr(0, std::min(kLongest, body.find('\n')))));
}

Connection::Connection(const StreamUrl& url, std::int64_t deadline_ns) {
  const ServerAddress server = resolve(url);
  const auto fail = [&](const std::string& why) { throw ConnectionError(url.authority() + ": " + why); };
  socket_.reset(::socket(server.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.is_open()) fail(std::strerror(errno));
  const auto* const address = reinterpret_cast<const sockaddr*>(&server.address);
  if (::connect(socket_.get(), address, server.size) == 0) return;
  if (errno != EINPROGRESS) fail(std::strerror(errno));
  if (!wait(POLLOUT, deadline_ns)) fail("no answer to the connection");
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) fail(std::strerror(error));
}

bool Connection::wait(short events, std::int64_t deadline_ns) const {
  pollfd polled{socket_.get(), events, 0};
  int ready = 0;
  do ready = ::poll(&polled, 1, patience_ms(deadline_ns));
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

void Connection::send(std::string_view bytes) {
  const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes.size())) {
    throw ConnectionError(std::string("the server takes no data: ") +
                          (sent < 0 ? std::strerror(errno) : "its buffer is full"));
  }
}

Connection::Arrival Connection::receive(std::string& bytes, std::int64_t deadline_ns) {
  for (;;) {
    if (!wait(POLLIN, deadline_ns)) return Arrival::kDeadline;
    bytes.resize(kReadBytes);
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    return got > 0 ? Arrival::kBytes : Arrival::kClosed;
  }
}

std::string http_get(const StreamUrl& url, const std::string& target, std::int64_t deadline_ns) {
  Connection connection(url, deadline_ns);
  // Of HTTP/1.0, so that no proxy answers in pieces.
  connection.send("GET " + target + " HTTP/1.0\r\nHost: " + url.authority() +
                  "\r\nUser-Agent: auralis-probe/" AURALIS_VERSION "\r\n\r\n");
  const auto fail = [&](const std::string& why) { throw ConnectionError("GET " + target + ": " + why); };
  ResponseHead head;
  std::string body;
  std::string piece;
  Connection::Arrival arrival{};
  while ((arrival = connection.receive(piece, deadline_ns)) == Connection::Arrival::kBytes) {
    std::string_view rest = piece;
    head.take(rest);
    body += rest;
    if (head.too_long() || body.size() > kLongestBody) fail("the answer is too long");
  }
  if (arrival == Connection::Arrival::kDeadline) fail("no complete answer in time");
  if (!head.whole() || head.status() == 0) fail("the answer is not HTTP");
  if (head.status() != kOk) fail("HTTP " + std::to_string(head.status()) + " " + first_line(body));
  return body;
}

}  // namespace auralis
