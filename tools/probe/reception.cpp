// SPDX-License-Identifier: MIT
#include "tools/probe/reception.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "common/base/clock.h"
#include "common/base/station_name.h"
#include "streamd/encode/frame.h"
#include "tools/arguments.h"
#include "tools/connection.h"
#include "tools/wire.h"

namespace auralis {
namespace {

constexpr std::int64_t kHandshakeLimitNs = 10 * kNsPerSecond;
constexpr std::int64_t kSilenceLimitNs = 5 * kNsPerSecond;  // without a chunk, the server's stream has ended
constexpr std::int64_t kLateLimitNs = 20 * kNsPerSecond;    // beyond the seconds that are to be received
constexpr std::size_t kLongestMessage = 65'536;             // more than 200 ms of PCM; the rest is not kept
constexpr double kLongestChunkMs = 1'000;
constexpr int kSwitchingProtocols = 101;

// A connection with its upgrade done, and its frames.
class Session {
 public:
  explicit Session(const ProbeOptions& options)
      : start_ns_(clock_.now_ns()), connection_(options.url, start_ns_ + kHandshakeLimitNs) {
    upgrade(options);
  }

  // Feeds `receiver` until it is done.
  void run(Receiver& receiver, double seconds) {
    const std::int64_t last_ns = clock_.now_ns() + std::llround(seconds * 1e9) + kLateLimitNs;
    std::int64_t deadline_ns = clock_.now_ns() + kSilenceLimitNs;
    std::string bytes = std::move(first_bytes_);
    for (;;) {
      const std::int64_t now = clock_.now_ns();
      if (take(bytes, receiver, now)) deadline_ns = now + kSilenceLimitNs;
      if (now >= last_ns) receiver.end("the chunks came too slowly");
      if (receiver.done()) return;
      const auto arrival = connection_.receive(bytes, deadline_ns);
      if (arrival == Connection::Arrival::kClosed) receiver.end("the server dropped the connection");
      if (arrival == Connection::Arrival::kDeadline) receiver.end("no chunk for 5 s");
      if (arrival != Connection::Arrival::kBytes) return;
    }
  }

  // Says goodbye; the answer is not waited for.
  void close() {
    try {
      connection_.send(client_frame(kOpcodeClose, "\x03\xE8", mask()));
    } catch (const ConnectionError&) {
      return;  // closed already
    }
  }

 private:
  std::uint32_t mask() { return static_cast<std::uint32_t>(random_()); }

  void upgrade(const ProbeOptions& options) {
    std::array<std::uint8_t, 16> bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    const std::string key = websocket_key(bytes);
    const std::string protocol(format_name(options.format));
    connection_.send("GET " + options.url.target + " HTTP/1.1\r\nHost: " + options.url.authority() +
                     "\r\nUser-Agent: auralis-probe/" AURALIS_VERSION "\r\n" + upgrade_fields(key, protocol) +
                     "\r\n");
    const auto fail = [&](const std::string& why) { throw ConnectionError(options.url.text + ": " + why); };
    ResponseHead head;
    while (!head.whole()) {
      const auto arrival = connection_.receive(first_bytes_, start_ns_ + kHandshakeLimitNs);
      if (arrival == Connection::Arrival::kDeadline) fail("no answer to the handshake within 10 s");
      if (arrival == Connection::Arrival::kClosed) fail("connection closed during the handshake");
      std::string_view rest = first_bytes_;
      head.take(rest);
      first_bytes_ = std::string(rest);
      if (head.too_long()) fail("response to the handshake too long");
    }
    if (head.status() != kSwitchingProtocols) {
      fail("refused with HTTP " + std::to_string(head.status()) + ": " + first_line(first_bytes_));
    }
    if (head.field("Sec-WebSocket-Accept") != websocket_accept(key)) fail("wrong Sec-WebSocket-Accept");
    if (head.field("Sec-WebSocket-Protocol") != protocol) fail("subprotocol other than requested");
  }

  // Returns true if there was a chunk among the messages.
  bool take(std::string_view bytes, Receiver& receiver, std::int64_t now) {
    bool audio = false;
    while (!bytes.empty() && !receiver.done()) {
      const auto outcome = frames_.take(bytes);
      if (outcome == FrameReader::Outcome::kBroken) receiver.end("a frame that violates the protocol");
      if (outcome != FrameReader::Outcome::kMessage) continue;
      if (frames_.opcode() == kOpcodePing) {
        connection_.send(client_frame(kOpcodePong, frames_.head(), mask()));
        continue;
      }
      audio |= frames_.opcode() == kOpcodeBinary;
      receiver.take(frames_.opcode(), frames_.head(), now, now - start_ns_);
    }
    return audio;
  }

  SystemClock clock_;
  std::mt19937_64 random_{std::random_device{}()};
  std::int64_t start_ns_;
  Connection connection_;
  FrameReader frames_{kLongestMessage};
  std::string first_bytes_;  // that came with the answer to the upgrade
};

std::string close_reason(std::string_view payload) {
  if (payload.size() < 2) return "the server closed the connection";
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(payload[i]); };
  return "the server closed the connection: " + std::to_string(byte(0) << 8 | byte(1));
}

}  // namespace

void Receiver::end(const std::string& why) {
  if (done()) return;
  reception_.ended = why + ", after " + std::to_string(reception_.chunks.size()) + " chunks";
}

void Receiver::take(std::uint8_t opcode, std::string_view payload, std::int64_t now_ns,
                    std::int64_t since_start_ns) {
  if (opcode == kOpcodeText) return take_text(payload);
  if (opcode == kOpcodeBinary) return take_audio(payload, now_ns, since_start_ns);
  if (opcode == kOpcodeClose) end(close_reason(payload));
}

void Receiver::take_text(std::string_view payload) {
  const auto json = nlohmann::json::parse(payload, nullptr, false);
  if (!json.is_object()) return end("a text message that is no JSON object");
  if (!reception_.station.empty() || !json.contains("type") || json["type"] != "status") return;
  try {
    const auto station = json.at("station").get<std::string>();
    const double chunk_ms = json.at("chunk_ms").get<double>();
    const double time_us = json.at("server_time").get<double>() * 1e6;
    // Written so that NaN, which compares false with everything, is refused.
    const bool possible = is_station_name(station) && 1 <= chunk_ms && chunk_ms <= kLongestChunkMs &&
                          0 <= time_us && time_us <= static_cast<double>(kLatestUs);
    if (!possible) return end("a status with impossible values");
    reception_.station = station;
    chunk_s_ = chunk_ms / 1e3;
    joined_us_ = std::llround(time_us);
  } catch (const nlohmann::json::exception&) {
    end("a status without station, chunk_ms and server_time");
  }
}

void Receiver::take_audio(std::string_view payload, std::int64_t now_ns, std::int64_t since_start_ns) {
  const ServerMessage head = read_binary_message(payload);
  if (head.kind != ServerMessage::Kind::kAudio) return end("a binary message that is no audio");
  if (head.opus != (format_ == WireFormat::kOpus)) return end("audio in another format than requested");
  if (reception_.station.empty()) return end("audio before the first status");
  if (head.due_us < 0 || head.due_us > kLatestUs) return end("a chunk with an impossible time");
  if (!reception_.chunks.empty() && head.seq <= reception_.chunks.back().head.seq)
    return end("chunk " + std::to_string(head.seq) + " came again, or too late");
  if (!reception_.first_audio_ns) reception_.first_audio_ns = since_start_ns;
  if (head.due_us >= joined_us_) {
    lateness_.add(now_ns / 1'000 - head.due_us, reception_.lateness);
    if (!last_) last_ = head.seq + static_cast<std::uint64_t>(std::ceil(seconds_ / chunk_s_)) - 1;
  }
  reception_.chunks.push_back({head, std::string(payload.substr(kHeaderBytes))});
  complete_ = last_ && head.seq >= *last_;
}

Reception Receiver::finish() {
  lateness_.flush(reception_.lateness);
  return std::move(reception_);
}

Reception receive(const ProbeOptions& options) {
  Session session(options);
  Receiver receiver(options.format, options.seconds);
  session.run(receiver, options.seconds);
  session.close();
  return receiver.finish();
}

}  // namespace auralis
