// SPDX-License-Identifier: MIT
// One listener: a connection, read when epoll reports it; its outcome is counted in the tally. It reads the
// head of each message and lets the kernel discard the rest, so that thousands of listeners leave the
// processor to the measured server. One thread.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/file_descriptor.h"
#include "tools/load/options.h"
#include "tools/load/tally.h"
#include "tools/statistics.h"
#include "tools/stream_url.h"
#include "tools/wire.h"

namespace auralis {

class Listener {
 public:
  // Shared by all listeners, and outlives them.
  struct Shared {
    const LoadOptions& options;
    const ServerAddress& server;
    Tally& tally;
    int epoll;
    SystemClock clock;
    std::mt19937_64 random{std::random_device{}()};
    std::string buffer = std::string(262'144, '\0');
  };

  Listener(Shared& shared, bool stalls) : shared_(shared), stalls_(stalls) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Starts to connect; an error is counted as failed.
  void start(std::int64_t now_ns);

  // Handles an event that epoll reported.
  void on_event();

  // Ends a listener whose handshake is not complete; counted as failed.
  void reject(const std::string& why);

  // Lets a stalled listener read again, without counting: behind the data in its buffers it finds whether the
  // server has disconnected it.
  void resume();

  // Lets a stalled listener read again, and counts what it receives as of any other.
  void read_again();

  // Ends the connection with RST, as a client that crashed.
  void reset();

  // Chunks that the server left out, or sent a warning in place of, since the first.
  std::uint64_t dropped() const { return dropped_; }
  // The same as the server said last, every 5 s; 0 before.
  std::uint64_t server_dropped() const { return server_dropped_; }

  // Closes the connection, with a Close frame.
  void close();

  // Ends the measurement: counts the last values.
  void end_of_measurement(std::int64_t now_ns);

  bool ended() const { return state_ == State::kEnded; }
  bool waits_for_handshake() const { return state_ == State::kConnecting || state_ == State::kUpgrading; }
  // Whether the measurement need not wait for it.
  bool settled() const { return ended() || state_ == State::kStalled || heard_; }

 private:
  enum class State { kNew, kConnecting, kUpgrading, kListening, kStalled, kEnded };

  std::string request();
  void watch(std::uint32_t events);
  void send_request();
  void read_head();
  void check_head();
  void open();
  void read_frames();
  void read_stream();
  // Number of bytes read into the shared buffer; fewer than asked for, or 0, if no more are available.
  std::size_t receive(std::size_t bytes, int flags);
  void frames_read(std::string_view bytes);
  void message_ended(FrameReader::Outcome outcome);
  void audio(std::uint64_t seq, std::int64_t chunk_ns);
  ChunkSequence::Step note(std::uint64_t seq);
  void note_skipped(std::uint64_t seq);
  void lost(int code);
  void fail(const std::string& why);
  void end();

  Shared& shared_;
  bool stalls_;
  State state_ = State::kNew;
  bool heard_ = false;
  FileDescriptor socket_;
  std::string key_;
  ResponseHead head_;
  FrameReader frames_;
  bool long_messages_ = false;  // the last one was
  std::int64_t start_ns_ = 0;
  std::int64_t now_ns_ = 0;   // of the event at hand
  std::int64_t read_ns_ = 0;  // of the last reading
  std::int64_t chunk_read_ns_ = 0;
  ChunkSequence sequence_;
  std::uint64_t dropped_ = 0;
  std::uint64_t server_dropped_ = 0;
  LatenessWindow lateness_;
};

}  // namespace auralis
