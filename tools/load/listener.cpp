// SPDX-License-Identifier: MIT
#include "tools/load/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tools/message.h"

namespace auralis {
namespace {

constexpr int kSwitchingProtocols = 101;
constexpr int kOk = 200;
// Longest frame header, and the part of a message that is kept.
constexpr std::size_t kHeadRead = 10 + FrameReader::kHeadBytes;
// From this length on, discarding the rest of a message is cheaper than copying it.
constexpr std::uint64_t kLongMessage = 4'096;
// Of one listener, before the others are read.
constexpr int kReadsInARow = 4;

std::int64_t us(std::int64_t ns) { return ns / 1'000; }

}  // namespace

void Listener::start(std::int64_t now) {
  ++shared_.tally.started;
  start_ns_ = now;
  const sockaddr_storage& server = shared_.server.address;
  socket_.reset(::socket(server.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.is_open()) return fail(std::strerror(errno));
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  state_ = State::kConnecting;
  epoll_event event{};
  event.events = EPOLLOUT;
  event.data.ptr = this;
  if (::epoll_ctl(shared_.epoll, EPOLL_CTL_ADD, socket_.get(), &event) != 0)
    return fail(std::strerror(errno));
  const auto* address = reinterpret_cast<const sockaddr*>(&server);
  if (::connect(socket_.get(), address, shared_.server.size) != 0 && errno != EINPROGRESS) {
    fail(std::strerror(errno));
  }
}

std::string Listener::request() {
  const LoadOptions& options = shared_.options;
  const std::string text = "GET " + options.url.target + " HTTP/1.1\r\nHost: " + options.url.authority() +
                           "\r\nUser-Agent: auralis-load/" AURALIS_VERSION "\r\n";
  if (!options.url.websocket) return text + "Connection: close\r\n\r\n";
  std::array<std::uint8_t, 16> random{};
  for (auto& byte : random) byte = static_cast<std::uint8_t>(shared_.random());
  key_ = websocket_key(random);
  return text + upgrade_fields(key_, options.protocol) + "\r\n";
}

void Listener::send_request() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(std::strerror(error));
  const std::string text = request();
  // Not partial: the socket's buffer is empty, and larger than any request.
  if (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
    return fail(std::strerror(errno));
  }
  state_ = State::kUpgrading;
  watch(EPOLLIN);
}

void Listener::watch(std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = this;
  ::epoll_ctl(shared_.epoll, EPOLL_CTL_MOD, socket_.get(), &event);
}

void Listener::on_event() {
  now_ns_ = shared_.clock.now_ns();
  switch (state_) {
    case State::kConnecting:
      return send_request();
    case State::kUpgrading:
      return read_head();
    case State::kListening:
      return shared_.options.url.websocket ? read_frames() : read_stream();
    case State::kStalled:
      receive(shared_.buffer.size(), MSG_TRUNC);
      return;
    case State::kNew:
    case State::kEnded:
      return;
  }
}

std::size_t Listener::receive(std::size_t bytes, int flags) {
  const ssize_t got =
      ::recv(socket_.get(), shared_.buffer.data(), std::min(bytes, shared_.buffer.size()), flags);
  if (got > 0) {
    Tally& tally = shared_.tally;
    if (tally.measuring && state_ == State::kListening) {
      tally.bytes += static_cast<std::uint64_t>(got);
      if (read_ns_ > 0) tally.longest_pause_ns = std::max(tally.longest_pause_ns, now_ns_ - read_ns_);
    }
    read_ns_ = now_ns_;
    return static_cast<std::size_t>(got);
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (state_ == State::kUpgrading) {
    fail(got == 0 ? "connection closed during the handshake" : std::strerror(errno));
  } else {
    lost(kCloseAbnormal);
  }
  return 0;
}

void Listener::read_head() {
  const std::size_t got = receive(shared_.buffer.size(), 0);
  std::string_view bytes(shared_.buffer.data(), got);
  if (bytes.empty()) return;
  head_.take(bytes);
  if (head_.too_long()) return fail("response to the handshake too long");
  if (!head_.whole()) return;
  check_head();
  if (state_ != State::kListening) return;
  if (shared_.options.url.websocket) return frames_read(bytes);
  if (!bytes.empty()) audio(0, 0);
}

void Listener::check_head() {
  const bool websocket = shared_.options.url.websocket;
  const int status = head_.status();
  if (status == 0) return fail("response is not HTTP");
  if (status != (websocket ? kSwitchingProtocols : kOk)) {
    ++shared_.tally.refused[status];
    return end();
  }
  if (websocket && head_.field("Sec-WebSocket-Accept") != websocket_accept(key_)) {
    return fail("wrong Sec-WebSocket-Accept");
  }
  if (websocket && head_.field("Sec-WebSocket-Protocol") != shared_.options.protocol) {
    return fail("subprotocol other than requested");
  }
  open();
}

void Listener::open() {
  Tally& tally = shared_.tally;
  ++tally.opened;
  tally.handshake.add(us(now_ns_ - start_ns_));
  tally.last_open_ns = now_ns_;
  key_.clear();
  head_ = ResponseHead();
  state_ = stalls_ ? State::kStalled : State::kListening;
  if (stalls_) watch(0);
}

void Listener::read_frames() {
  for (int i = 0; i < kReadsInARow && state_ == State::kListening; ++i) {
    const std::uint64_t unwanted = frames_.discardable();
    if (unwanted > 0) {
      // MSG_TRUNC discards bytes of a TCP stream without copying them (Linux).
      const std::size_t got = receive(unwanted, MSG_TRUNC);
      if (got > 0) message_ended(frames_.discard(got));
      // Returns: if the next message has arrived, epoll reports it.
      return;
    }
    const std::size_t wanted = long_messages_ ? kHeadRead : shared_.buffer.size();
    const std::size_t got = receive(wanted, 0);
    frames_read({shared_.buffer.data(), got});
    if (got < wanted) return;
  }
}

void Listener::frames_read(std::string_view bytes) {
  while (!bytes.empty() && state_ == State::kListening) message_ended(frames_.take(bytes));
}

void Listener::read_stream() {
  if (receive(shared_.buffer.size(), MSG_TRUNC) > 0 && !heard_) audio(0, 0);
}

void Listener::message_ended(FrameReader::Outcome outcome) {
  if (outcome == FrameReader::Outcome::kNeedsMore) return;
  Tally& tally = shared_.tally;
  if (outcome == FrameReader::Outcome::kBroken) {
    ++tally.malformed;
    return lost(kCloseAbnormal);
  }
  const std::string_view head = frames_.head();
  const std::uint8_t opcode = frames_.opcode();
  if (opcode == kOpcodeClose) {
    constexpr int kNoCode = 1005;
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(head[i]); };
    return lost(head.size() >= 2 ? byte(0) << 8 | byte(1) : kNoCode);
  }
  if (opcode == kOpcodePing) {
    const std::string pong = client_frame(kOpcodePong, head, static_cast<std::uint32_t>(shared_.random()));
    // Ignores errors: the server closes without the pong.
    if (::send(socket_.get(), pong.data(), pong.size(), MSG_NOSIGNAL) < 0) return;
  }
  if (opcode != kOpcodeText && opcode != kOpcodeBinary) return;
  long_messages_ = frames_.message_bytes() >= kLongMessage;
  const ServerMessage message = opcode == kOpcodeText ? read_text_message(head) : read_binary_message(head);
  switch (message.kind) {
    case ServerMessage::Kind::kAudio:
      if (message.silence) ++tally.silence;
      return audio(message.seq, message.chunk_ns);
    case ServerMessage::Kind::kSkipped:
      return note_skipped(message.seq);
    case ServerMessage::Kind::kUnderrun:
      // Binary audio has a flag for it.
      if (shared_.options.protocol == "auralis.json.v1") ++tally.silence;
      return;
    case ServerMessage::Kind::kStatus:
      server_dropped_ = message.dropped;
      return;
    case ServerMessage::Kind::kOther:
      return;
    case ServerMessage::Kind::kMalformed:
      ++tally.malformed;
      return;
  }
}

void Listener::audio(std::uint64_t seq, std::int64_t chunk_ns) {
  Tally& tally = shared_.tally;
  if (!heard_) {
    heard_ = true;
    ++tally.heard;
    tally.first_audio.add(us(now_ns_ - start_ns_));
  }
  if (!shared_.options.url.websocket) return;
  const std::int64_t interval_ns = now_ns_ - chunk_read_ns_;
  const bool has_interval = chunk_read_ns_ > 0;
  chunk_read_ns_ = now_ns_;
  const ChunkSequence::Step step = note(seq);
  if (step == ChunkSequence::Step::kRepeat) ++tally.repeats;
  if (!tally.measuring || step == ChunkSequence::Step::kRepeat) return;
  ++tally.chunks;
  lateness_.add(us(now_ns_ - static_cast<std::int64_t>(seq * static_cast<std::uint64_t>(chunk_ns))),
                tally.lateness);
  if (has_interval && step == ChunkSequence::Step::kNext) {
    tally.jitter.add(us(std::abs(interval_ns - chunk_ns)));
  }
}

ChunkSequence::Step Listener::note(std::uint64_t seq) {
  const ChunkSequence::Step step = sequence_.note(seq);
  if (step == ChunkSequence::Step::kGap) {
    shared_.tally.missing += sequence_.missing();
    dropped_ += sequence_.missing();
  }
  return step;
}

void Listener::note_skipped(std::uint64_t seq) {
  ++shared_.tally.skipped;
  ++dropped_;
  note(seq);
  chunk_read_ns_ = 0;  // no interval to the next chunk
}

void Listener::lost(int code) {
  if (stalls_) {
    ++shared_.tally.stalled_lost;
  } else {
    ++shared_.tally.lost[code];
  }
  end();
}

void Listener::fail(const std::string& why) {
  ++shared_.tally.failed[why];
  end();
}

void Listener::reject(const std::string& why) { fail(why); }

void Listener::resume() {
  if (state_ == State::kStalled) watch(EPOLLIN);
}

void Listener::read_again() {
  if (state_ != State::kStalled) return;
  stalls_ = false;
  state_ = State::kListening;
  watch(EPOLLIN);
}

void Listener::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  if (!ended()) ++shared_.tally.reset;
  end();
}

void Listener::close() {
  if (shared_.options.url.websocket && (state_ == State::kListening || state_ == State::kStalled)) {
    constexpr std::string_view kNormal("\x03\xE8", 2);
    const std::string goodbye =
        client_frame(kOpcodeClose, kNormal, static_cast<std::uint32_t>(shared_.random()));
    // Ignores errors: the connection ends anyway.
    if (::send(socket_.get(), goodbye.data(), goodbye.size(), MSG_NOSIGNAL) < 0) return end();
  }
  end();
}

void Listener::end_of_measurement(std::int64_t now) {
  Tally& tally = shared_.tally;
  lateness_.flush(tally.lateness);
  if (state_ == State::kListening) tally.longest_pause_ns = std::max(tally.longest_pause_ns, now - read_ns_);
}

void Listener::end() {
  state_ = State::kEnded;
  socket_.reset();
}

}  // namespace auralis
