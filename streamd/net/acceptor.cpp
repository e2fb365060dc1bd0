// SPDX-License-Identifier: MIT
#include "streamd/net/acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "common/access/ip_address.h"
#include "common/base/log.h"

namespace auralis {
namespace {

constexpr int kMostAtOnce = 64;
// Without free descriptors accept() would fail in a tight loop: pause this long.
constexpr int kPauseMs = 100;
// Remembered by the rates per address. Clients arrive no faster than the total rate, and are forgotten in two
// seconds.
constexpr std::size_t kMostClients = 65'536;
constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Type: text/plain\r\n"
    "Content-Length: 47\r\n\r\nToo many connections at once; try again later.\n";

// Sends the refusal without waiting. Reads what has been received: close() with unread data sends RST and can
// discard the refusal.
void turn_away(int socket) {
  std::array<char, 4'096> asked{};
  [[maybe_unused]] auto taken = ::send(socket, kBusy.data(), kBusy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(socket, SHUT_WR);
  taken = ::recv(socket, asked.data(), asked.size(), MSG_DONTWAIT);
}

// Held by a connection: its permit, and its share in the count of its worker.
struct ConnectionHold {
  ConnectionLimiter::Permit permit;
  std::shared_ptr<std::vector<std::atomic<std::size_t>>> open;
  std::size_t worker;

  ConnectionHold(ConnectionLimiter::Permit one, std::shared_ptr<std::vector<std::atomic<std::size_t>>> counts,
                 std::size_t at)
      : permit(std::move(one)), open(std::move(counts)), worker(at) {
    open->at(worker).fetch_add(1, std::memory_order_relaxed);
  }
  ConnectionHold(const ConnectionHold&) = delete;
  ConnectionHold& operator=(const ConnectionHold&) = delete;
  ~ConnectionHold() { open->at(worker).fetch_sub(1, std::memory_order_relaxed); }
};

}  // namespace

Acceptor::Acceptor(const FileDescriptor& listening, const Limits& limits,
                   std::function<bool(const IpAddress&)> exempt, bool tls, const Clock& clock,
                   StreamMetrics& metrics, GroupedLog& grouped_log)
    : exempt_(std::move(exempt)),
      connections_(limits.connections, exempt_),
      handshakes_(limits.handshakes_per_second, limits.handshakes_per_second),
      tls_handshakes_(limits.tls_handshakes_per_second, limits.tls_handshakes_per_second),
      of_address_(limits.handshakes_per_second_per_address, 2 * limits.handshakes_per_second_per_address,
                  kMostClients),
      tls_(tls),
      clock_(clock),
      metrics_(metrics),
      grouped_log_(grouped_log),
      listening_(listening),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Acceptor::~Acceptor() { stop(); }

void Acceptor::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
}

void Acceptor::start(std::vector<WebSocketServer*> workers) {
  workers_ = std::move(workers);
  open_ = std::make_shared<std::vector<std::atomic<std::size_t>>>(workers_.size());
  thread_ = std::thread([this] { run(); });
}

void Acceptor::run() {
  std::array<pollfd, 2> polled{{{wake_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}}};
  bool exhausted = false;
  for (;;) {
    const nfds_t count = exhausted ? 1 : 2;
    if (::poll(polled.data(), count, exhausted ? kPauseMs : -1) < 0 && errno != EINTR) return;
    if (polled[0].revents != 0) return;
    // Bounded, so that the end is noticed in a flood.
    bool is_pending = true;
    for (int accepted = 0; is_pending && accepted < kMostAtOnce; ++accepted) is_pending = accept_one();
    if (is_pending) continue;
    const int error = errno;
    const bool was_exhausted =
        std::exchange(exhausted, error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM);
    if (exhausted && !was_exhausted)
      log_warning("out of descriptors or memory: not accepting connections",
                  {{"error", std::string(std::strerror(error))}});
    if (!exhausted && was_exhausted) log_info("accepting connections again", {});
  }
}

// False, with errno, if no connection is pending.
bool Acceptor::accept_one() {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  FileDescriptor socket(
      ::accept4(listening_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.is_open()) return errno == ECONNABORTED || errno == EINTR;
  // The address first: a client at its limit must not use up the rate of the others.
  const IpAddress client = ip_address_of(peer);
  auto hold = connections_.acquire(client);
  if (const auto* refusal = std::get_if<ConnectionLimiter::Refusal>(&hold)) {
    refuse(
        socket, client,
        *refusal == ConnectionLimiter::Refusal::kFull ? metrics_.rejected_limit : metrics_.rejected_address);
    return true;
  }
  if (StreamMetrics::Rejection* const exceeded = exceeded_rate(client)) {
    refuse(socket, client, *exceeded);
    return true;
  }
  hand_over(std::move(socket), client, std::get<ConnectionLimiter::Permit>(std::move(hold)));
  return true;
}

StreamMetrics::Rejection* Acceptor::exceeded_rate(const IpAddress& peer) {
  const std::int64_t now_ns = clock_.now_ns();
  if (!handshakes_.has_one(now_ns)) return &metrics_.rejected_rate;
  if (!exempt_(peer) && !of_address_.take(peer, now_ns)) return &metrics_.rejected_address_rate;
  // A TLS handshake runs on a thread that sends audio, and is the costliest part of a connection.
  if (tls_ && !tls_handshakes_.take(now_ns)) return &metrics_.rejected_tls_rate;
  handshakes_.take(now_ns);
  return nullptr;
}

void Acceptor::refuse(const FileDescriptor& socket, const IpAddress& peer, StreamMetrics::Rejection& why) {
  why.counter.add();
  grouped_log_.note(GroupedLog::Event::kConnectionRefused, why.reason, peer);
  if (!tls_) turn_away(socket.get());
}

void Acceptor::hand_over(FileDescriptor socket, const IpAddress& peer, ConnectionLimiter::Permit permit) {
  const auto least = std::min_element(open_->begin(), open_->end());
  const auto worker = static_cast<std::size_t>(least - open_->begin());
  auto hold = std::make_shared<ConnectionHold>(std::move(permit), open_, worker);
  workers_.at(worker)->add_connection(std::move(socket), peer, std::move(hold));
}

}  // namespace auralis
