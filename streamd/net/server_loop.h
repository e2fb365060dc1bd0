// SPDX-License-Identifier: MIT
// Internal to WebSocketServer: the event loop of a worker's thread, with its periodic step and its beat.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "common/base/file_descriptor.h"
#include "common/base/process_time.h"
#include "streamd/net/connection_events.h"

namespace auralis {

class ServerLoop {
  static constexpr auto kBeat = std::chrono::milliseconds(100);
  // Longest delay of a beat that a busy machine may cause; more counts as absence of the process.
  static constexpr std::int64_t kMaxBeatNs = 500 * kNsPerMs;

 public:
  explicit ServerLoop(const Clock& clock)
      : process_time_(clock, kMaxBeatNs), clock_(clock), last_beat_ns_(clock.now_ns()) {
    beat();
  }
  ServerLoop(const ServerLoop&) = delete;
  ServerLoop& operator=(const ServerLoop&) = delete;
  virtual ~ServerLoop() = default;

  virtual void run(ConnectionEvents& events) = 0;
  virtual void add_connection(FileDescriptor socket, const IpAddress& peer, std::shared_ptr<void> hold) = 0;
  virtual void respond(ConnectionId id, const HttpResponse& response) = 0;
  virtual void ping(ConnectionId id) = 0;
  virtual void close(ConnectionId id, std::uint16_t code, std::string_view reason) = 0;

  void arm(std::int64_t at_ns) {
    step_timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(at_ns)));
    step_timer_.async_wait([this](const asio::error_code& error) {
      if (!error) arm(step_());
    });
  }
  void set_step(std::function<std::int64_t()> step) { step_ = std::move(step); }
  asio::io_context& io() { return io_; }
  const ProcessTime& process_time() const { return process_time_; }
  // Any thread.
  std::int64_t last_beat_ns() const { return last_beat_ns_.load(std::memory_order_relaxed); }

 protected:
  // Called at each beat.
  virtual void check_deadlines() = 0;

  asio::io_context io_{1};
  ProcessTime process_time_;

 private:
  // After an absence of the process, pending input is read before the next beat: no deadline expires before
  // that.
  void beat() {
    beat_timer_.expires_after(kBeat);
    beat_timer_.async_wait([this](const asio::error_code&) {
      last_beat_ns_.store(clock_.now_ns(), std::memory_order_relaxed);
      if (process_time_.step()) check_deadlines();
      beat();
    });
  }

  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::steady_timer step_timer_{io_};
  asio::steady_timer beat_timer_{io_};
  std::function<std::int64_t()> step_;
  const Clock& clock_;
  std::atomic<std::int64_t> last_beat_ns_;
};

}  // namespace auralis
