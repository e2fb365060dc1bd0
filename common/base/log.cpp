// SPDX-License-Identifier: MIT
#include "common/base/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "common/base/log_console.h"
#include "common/base/log_file.h"
#include "common/base/log_lines.h"

namespace auralis {
namespace {

constexpr const char* kLoggerName = "auralis";
constexpr std::size_t kQueueMessages = 8'192;
constexpr std::chrono::milliseconds kDrainTime{500};

using SteadyClock = std::chrono::steady_clock;

// Lowest level that the current Log writes; kNoLevel without one.
constexpr int kNoLevel = static_cast<int>(LogLevel::kError) + 1;
std::atomic<int> lowest_level{kNoLevel};

LogLevel from_spdlog(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err) return LogLevel::kError;
  if (level == spdlog::level::warn) return LogLevel::kWarning;
  return level == spdlog::level::info ? LogLevel::kInfo : LogLevel::kDebug;
}

// Files beside the console. One thread.
class LogFiles {
 public:
  LogFiles(const std::string& directory, const std::string& process, const LogFile::Report& report)
      : all_(directory, process, kDays, report),
        errors_(directory, process + "-errors", kErrorDays, report) {}

  void write(const LogRecord& record) {
    const std::string line = json_line(record);
    all_.begin_day(record.time);
    errors_.begin_day(record.time);
    all_.write(record.time, line);
    if (record.level == LogLevel::kError) errors_.write(record.time, line);
  }

 private:
  static constexpr int kDays = 30;
  static constexpr int kErrorDays = 90;

  LogFile all_;
  LogFile errors_;
};

// Passes messages, whose text is as of json_members(), to the console and the files. Runs in spdlog's one
// writer thread; give_up_after(): any thread.
class LogSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  LogSink(std::string_view process, LogFormat format, const LogTargets& targets)
      : process_(process), console_(format, targets.journal_socket) {
    if (targets.directory.empty()) return;
    files_.emplace(targets.directory, process_,
                   [this](LogLevel level, std::string_view sentence, const std::string& file,
                          const std::string& error) { report(level, sentence, file, error); });
  }

  void give_up_after(SteadyClock::time_point deadline) { console_.give_up_after(deadline); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view members(message.payload.data(), message.payload.size());
    const LogRecord record{message.time, from_spdlog(message.level), process_, members};
    if (console_.given_up()) return;
    if (files_) files_->write(record);  // first: the reader of standard error may have stopped
    console_.write(record);
  }
  void flush_() override {}

 private:
  // Errors of files go to the console only.
  void report(LogLevel level, std::string_view sentence, const std::string& file, const std::string& error) {
    std::string members = json_members(sentence, {{"file", file}});
    if (!error.empty()) members = json_members(sentence, {{"file", file}, {"error", error}});
    console_.write({std::chrono::system_clock::now(), level, process_, members});
  }

  std::string process_;
  LogConsole console_;
  std::optional<LogFiles> files_;
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

void log(LogLevel level, std::string_view message, LogFields fields) {
  if (!logs(level)) return;
  const auto logger = spdlog::get(kLoggerName);
  if (logger == nullptr) return;
  logger->log(to_spdlog(level), spdlog::string_view_t(json_members(message, fields)));
}

}  // namespace

Log::Log(std::string_view process, LogLevel level, LogFormat format, const LogTargets& targets) {
  auto sink = std::make_shared<LogSink>(process, format, targets);
  spdlog::init_thread_pool(kQueueMessages, 1);
  // Drop the oldest message if the queue is full: the default policy would block the caller.
  auto logger = std::make_shared<spdlog::async_logger>(kLoggerName, std::move(sink), spdlog::thread_pool(),
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(spdlog::level::trace);
  // Replace spdlog's error handler, which prints to standard error and may block.
  logger->set_error_handler([](const std::string&) {});
  spdlog::register_logger(std::move(logger));
  set_log_level(level);
}

Log::~Log() {
  lowest_level.store(kNoLevel, std::memory_order_relaxed);
  const auto logger = spdlog::get(kLoggerName);
  auto pool = spdlog::thread_pool();
  spdlog::drop(kLoggerName);
  spdlog::details::registry::instance().set_tp(nullptr);
  // No message is enqueued from here on. Destroying the pool waits until its thread has processed the queue.
  static_cast<LogSink&>(*logger->sinks().front()).give_up_after(SteadyClock::now() + kDrainTime);
  pool.reset();
}

void log_debug(std::string_view message, LogFields fields) { log(LogLevel::kDebug, message, fields); }
void log_info(std::string_view message, LogFields fields) { log(LogLevel::kInfo, message, fields); }
void log_warning(std::string_view message, LogFields fields) { log(LogLevel::kWarning, message, fields); }
void log_error(std::string_view message, LogFields fields) { log(LogLevel::kError, message, fields); }

bool logs(LogLevel level) { return static_cast<int>(level) >= lowest_level.load(std::memory_order_relaxed); }

LogLevel log_level() {
  const int lowest = lowest_level.load(std::memory_order_relaxed);
  return static_cast<LogLevel>(std::min(lowest, static_cast<int>(LogLevel::kError)));
}

void set_log_level(LogLevel level) { lowest_level.store(static_cast<int>(level), std::memory_order_relaxed); }

std::uint64_t log_messages_dropped() {
  const auto pool = spdlog::thread_pool();
  return pool == nullptr ? 0 : pool->overrun_counter();
}

}  // namespace auralis
