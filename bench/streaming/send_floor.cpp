// SPDX-License-Identifier: MIT
// auralis-send-floor: the least cost of sending streamd's messages to many listeners, in the size of PCM or
// of Opus. After the handshake it calls send() once for each listener of a phase, at streamd's ticks, from
// one buffer: no queue, no retry, no metrics but its own CPU time. auralis-load measures it as it measures
// streamd.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "streamd/encode/frame.h"
#include "tools/load/process.h"
#include "tools/wire.h"

namespace auralis {
namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
constexpr std::int64_t kTickNs = 10 * kNsPerMs;
constexpr std::uint32_t kSampleRate = 44'100;
constexpr std::uint32_t kFrames = 4'410;
constexpr int kSendBufferBytes = 64 * 1024;  // as streamd's
constexpr std::size_t kSeqOffset = 4 + 8;    // of the header in its WebSocket frame
constexpr rlim_t kDescriptorsBeside = 16;

void require(bool succeeded, const char* what) {
  if (!succeeded) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

struct Format {
  std::string_view protocol;
  std::string (*message)(const AudioChunk&);  // the payload of its WebSocket message
};

std::string pcm_message(const AudioChunk& chunk) { return pcm_header(chunk).append(chunk.samples.bytes()); }

// streamd's at its default bit rate, 96 kbit/s: five packets of 20 ms.
std::string opus_message(const AudioChunk& chunk) {
  constexpr std::size_t kPackets = 5;
  constexpr std::size_t kPacketBytes = 240;
  OpusChunk opus;
  opus.packets.assign(kPackets, std::string(kPacketBytes, 'x'));
  opus.frames = kOpusHz / 10;
  return encode_opus(chunk, opus);
}

constexpr std::array<Format, 2> kFormats{
    {{"auralis.pcm.v1", pcm_message}, {"auralis.opus.v1", opus_message}}};

const Format& format_of(std::string_view protocol) {
  for (const Format& format : kFormats) {
    if (format.protocol == protocol) return format;
  }
  throw std::runtime_error("no such protocol: " + std::string(protocol));
}

// A chunk as it goes over the wire, a WebSocket frame of 126 to 65,535 bytes.
std::string framed_chunk(const Format& format) {
  AudioChunk chunk;
  chunk.sample_rate = kSampleRate;
  chunk.channels = 2;
  chunk.frames = kFrames;
  chunk.samples = Samples::copy_of(std::vector<std::int16_t>(std::size_t{kFrames} * 2, 1'234));
  const std::string payload = format.message(chunk);
  std::string frame = "\x82\x7E";
  frame.push_back(static_cast<char>(payload.size() >> 8U));
  frame.push_back(static_cast<char>(payload.size() & 0xFFU));
  return frame + payload;
}

class Floor {
 public:
  Floor(std::size_t listeners, double limit_s, const Format& format)
      : limit_ns_(static_cast<std::int64_t>(limit_s * 1e9)),
        protocol_(format.protocol),
        frame_(framed_chunk(format)) {
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    if (descriptors.rlim_cur < listeners + kDescriptorsBeside)
      throw std::runtime_error("too few descriptors");
    sockets_.assign(listeners, -1);
    server_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    require(server_ >= 0 && ::bind(server_, generic, size) == 0 && ::listen(server_, 1'024) == 0, "listen");
    require(::getsockname(server_, generic, &size) == 0, "getsockname");
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
  }
  ~Floor() {
    for (const auto* const sockets : {&upgrading_, &sockets_}) {
      for (const int one : *sockets) {
        if (one >= 0) ::close(one);
      }
    }
    ::close(server_);
  }
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  // Until all who came have gone, or the limit is over.
  void run() {
    const std::int64_t begin_ns = clock_.now_ns();
    for (std::int64_t tick = 0; tick * kTickNs < limit_ns_; ++tick) {
      const std::int64_t due_ns = begin_ns + tick * kTickNs;
      for (std::int64_t now = clock_.now_ns(); now < due_ns; now = clock_.now_ns())
        wait_for_listeners(due_ns - now);
      upgrade_all();
      send_share(static_cast<std::size_t>(tick));
      if (came_ > 0 && here_ == 0) return;
    }
  }

  void report() const {
    const double cpu_s = own_cpu_s();
    const auto bytes = static_cast<double>(bytes_);
    std::printf("{\"bytes\": %.0f, \"cpu_s\": %.6f, \"cpu_ns_per_byte\": %.4f, \"failed\": %zu}\n", bytes,
                cpu_s, bytes > 0 ? cpu_s * 1e9 / bytes : 0, failed_);
  }

 private:
  void wait_for_listeners(std::int64_t wait_ns) {
    pollfd wanted{server_, POLLIN, 0};
    const timespec wait{0, static_cast<long>(wait_ns)};
    if (::ppoll(&wanted, 1, &wait, nullptr) <= 0) return;
    const int socket = ::accept4(server_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket >= 0) upgrading_.push_back(socket);
  }

  // Runs once a tick, so that a slow request delays no other connection.
  void upgrade_all() {
    std::vector<int> waiting;
    waiting.swap(upgrading_);
    for (const int socket : waiting) {
      std::array<char, 4'096> buffer{};
      const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EAGAIN) {
        upgrading_.push_back(socket);
      } else if (got > 0 && came_ < sockets_.size() &&
                 upgrade(socket, std::string(buffer.data(), static_cast<std::size_t>(got)))) {
        sockets_.at(came_++) = socket;
        ++here_;
      } else {
        ::close(socket);
      }
    }
  }

  bool upgrade(int socket, const std::string& request) const {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
    const std::string name = "Sec-WebSocket-Key: ";
    const std::size_t key = request.find(name);
    if (key == std::string::npos) return false;
    const std::size_t key_begin = key + name.size();
    const std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Protocol: " +
        protocol_ + "\r\nSec-WebSocket-Accept: " +
        websocket_accept(request.substr(key_begin, request.find("\r\n", key_begin) - key_begin)) + "\r\n\r\n";
    return ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(answer.size());
  }

  // To those whose phase within the chunk is this tick.
  void send_share(std::size_t tick) {
    constexpr std::size_t kTicks = kChunkNs / kTickNs;
    const std::uint64_t seq = tick / kTicks;
    const std::size_t phase = tick % kTicks;
    for (std::size_t byte = 0; byte < sizeof seq; ++byte) {
      frame_.at(kSeqOffset + byte) = static_cast<char>(seq >> 8U * byte & 0xFFU);
    }
    for (std::size_t i = phase; i < came_; i += kTicks) {
      int& socket = sockets_.at(i);
      if (socket < 0) continue;
      const ssize_t sent = ::send(socket, frame_.data(), frame_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) bytes_ += static_cast<std::uint64_t>(sent);
      if (sent == static_cast<ssize_t>(frame_.size())) continue;
      if (sent >= 0 || errno == EAGAIN) ++failed_;  // else it has gone
      ::close(socket);
      socket = -1;
      --here_;
    }
  }

  SystemClock clock_;
  std::int64_t limit_ns_;
  std::string protocol_;
  std::string frame_;
  int server_ = -1;
  std::vector<int> upgrading_;  // accepted, without a request yet
  std::vector<int> sockets_;    // -1: not yet, or gone
  std::size_t came_ = 0;
  std::size_t here_ = 0;
  std::size_t failed_ = 0;  // that did not take a whole chunk
  std::uint64_t bytes_ = 0;
};

}  // namespace
}  // namespace auralis

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(
        stderr,
        "usage: auralis-send-floor LISTENERS LIMIT_S PROTOCOL (prints its port, and its costs at the "
        "end)\n");
    return 2;
  }
  try {
    auralis::Floor floor(std::strtoul(argv[1], nullptr, 10), std::strtod(argv[2], nullptr),
                         auralis::format_of(argv[3]));
    floor.run();
    floor.report();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "auralis-send-floor: %s\n", error.what());
    return 1;
  }
}
