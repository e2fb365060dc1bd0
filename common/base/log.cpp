// SPDX-License-Identifier: MIT
#include "common/base/log.h"

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <memory>

namespace auralis {
namespace {

constexpr const char* kLoggerName = "auralis";
constexpr std::size_t kQueueMessages = 8'192;
constexpr std::chrono::milliseconds kDrainTime{500};

using SteadyClock = std::chrono::steady_clock;

std::string to_json(const nlohmann::json& value) {
  // Replace bytes that are not UTF-8: they come from outside (a device's name, a client's request) and must
  // not end a daemon.
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A sink that writes to standard error without blocking: its reader may have stopped. Runs in spdlog's one
// writer thread; give_up_after(): any thread.
class StderrSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit StderrSink(bool json) : json_(json), colour_(!json && isatty(STDERR_FILENO) == 1) {
    struct stat status {};
    if (fstat(STDERR_FILENO, &status) != 0) return;
    socket_ = S_ISSOCK(status.st_mode);
    if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
      // Open a separate file description: O_NONBLOCK on the inherited one would affect every process that
      // shares it.
      own_fd_ = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
  }
  ~StderrSink() override {
    if (own_fd_ >= 0) close(own_fd_);
  }

  bool json() const { return json_; }

  // Sets the moment from which on pending messages are dropped.
  void give_up_after(SteadyClock::time_point deadline) {
    deadline_.store(deadline.time_since_epoch().count());
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!colour_) return write_all({line.data(), line.size()});
    const std::string_view text(line.data(), line.size());
    const auto begin = message.color_range_start;
    const auto end = message.color_range_end;
    std::string coloured(text.substr(0, begin));
    coloured.append(colour_of(message.level)).append(text.substr(begin, end - begin)).append("\x1b[0m");
    write_all(coloured.append(text.substr(end)));
  }
  void flush_() override {}

 private:
  static std::string_view colour_of(spdlog::level::level_enum level) {
    if (level >= spdlog::level::err) return "\x1b[31m";
    if (level == spdlog::level::warn) return "\x1b[33m";
    return level == spdlog::level::info ? "\x1b[32m" : "\x1b[36m";
  }

  void write_all(std::string_view text) const {
    while (!text.empty() && wait_writable()) {
      const ssize_t written = write_some(text);
      if (written >= 0) {
        text.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EAGAIN && errno != EINTR) {
        return;  // no reader left, or the disk is full: the message is lost
      }
    }
  }

  // Write at most PIPE_BUF at a time: if opening a separate description failed, a pipe that polls as writable
  // takes that much without blocking.
  ssize_t write_some(std::string_view text) const {
    const std::size_t bytes = std::min<std::size_t>(text.size(), PIPE_BUF);
    if (socket_) return send(STDERR_FILENO, text.data(), bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(own_fd_ >= 0 ? own_fd_ : STDERR_FILENO, text.data(), bytes);
  }

  // False once the deadline has passed. Waits in slices, because the deadline may be set while it waits.
  bool wait_writable() const {
    constexpr int kSliceMs = 20;
    pollfd descriptor{own_fd_ >= 0 ? own_fd_ : STDERR_FILENO, POLLOUT, 0};
    while (SteadyClock::now().time_since_epoch().count() < deadline_.load()) {
      if (poll(&descriptor, 1, kSliceMs) > 0) return true;
    }
    return false;
  }

  bool json_;
  bool colour_;
  bool socket_ = false;
  int own_fd_ = -1;
  std::atomic<SteadyClock::rep> deadline_{SteadyClock::time_point::max().time_since_epoch().count()};
};

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

nlohmann::json to_json_value(const LogValue& value) {
  return std::visit([](const auto& held) { return nlohmann::json(held); }, value);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// The members of a JSON object, without the braces.
std::string json_payload(std::string_view message, LogFields fields) {
  std::string payload = "\"message\":" + to_json(message);
  for (const auto& [name, value] : fields) {
    payload.append(",").append(to_json(name)).append(":").append(to_json(to_json_value(value)));
  }
  return payload;
}

// `text`, quoted unless it is one plain word.
std::string text_value(const std::string& text) {
  const bool plain = !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
    return is_control(c) || c == ' ' || c == '"' || c == '=';
  });
  return plain ? text : to_json(text);
}

std::string text_payload(std::string_view message, LogFields fields) {
  std::string payload(message);
  // Keep a message on one line, even if it quotes a client's input.
  std::replace_if(payload.begin(), payload.end(), is_control, ' ');
  for (const auto& [name, value] : fields) {
    const auto* text = std::get_if<std::string>(&value);
    payload.append(" ").append(name).append("=").append(text != nullptr ? text_value(*text)
                                                                        : to_json(to_json_value(value)));
  }
  return payload;
}

std::unique_ptr<spdlog::formatter> make_formatter(std::string_view process, bool json) {
  const std::string name(process);
  if (!json)
    return std::make_unique<spdlog::pattern_formatter>("%Y-%m-%d %H:%M:%S.%e %^%-7l%$ " + name + ": %v");
  return std::make_unique<spdlog::pattern_formatter>(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","process":")" + name + R"(",%v})",
      spdlog::pattern_time_type::utc);
}

void log(LogLevel level, std::string_view message, LogFields fields) {
  const auto logger = spdlog::get(kLoggerName);
  if (logger == nullptr || !logger->should_log(to_spdlog(level))) return;
  const auto& sink = static_cast<const StderrSink&>(*logger->sinks().front());
  const std::string payload = sink.json() ? json_payload(message, fields) : text_payload(message, fields);
  logger->log(to_spdlog(level), spdlog::string_view_t(payload));
}

}  // namespace

Log::Log(std::string_view process, LogLevel level, LogFormat format) {
  const bool json = format == LogFormat::kJson || (format == LogFormat::kAuto && isatty(STDERR_FILENO) != 1);
  auto sink = std::make_shared<StderrSink>(json);
  sink->set_formatter(make_formatter(process, json));
  spdlog::init_thread_pool(kQueueMessages, 1);
  // Drop the oldest message if the queue is full: the default policy would block the caller.
  auto logger = std::make_shared<spdlog::async_logger>(kLoggerName, std::move(sink), spdlog::thread_pool(),
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(to_spdlog(level));
  // Replace spdlog's error handler, which prints to standard error and may block.
  logger->set_error_handler([](const std::string&) {});
  spdlog::register_logger(std::move(logger));
}

Log::~Log() {
  const auto logger = spdlog::get(kLoggerName);
  auto pool = spdlog::thread_pool();
  spdlog::drop(kLoggerName);
  spdlog::details::registry::instance().set_tp(nullptr);
  // No message is enqueued from here on. Destroying the pool waits until its thread has processed the queue.
  static_cast<StderrSink&>(*logger->sinks().front()).give_up_after(SteadyClock::now() + kDrainTime);
  pool.reset();
}

void log_debug(std::string_view message, LogFields fields) { log(LogLevel::kDebug, message, fields); }
void log_info(std::string_view message, LogFields fields) { log(LogLevel::kInfo, message, fields); }
void log_warning(std::string_view message, LogFields fields) { log(LogLevel::kWarning, message, fields); }
void log_error(std::string_view message, LogFields fields) { log(LogLevel::kError, message, fields); }

std::uint64_t log_messages_dropped() {
  const auto pool = spdlog::thread_pool();
  return pool == nullptr ? 0 : pool->overrun_counter();
}

}  // namespace auralis
