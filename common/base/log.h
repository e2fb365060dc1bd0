// SPDX-License-Identifier: MIT
// Logging that never blocks its caller: messages go through a bounded queue to one writer thread; if the
// queue is full, the oldest are dropped and counted. Text on a terminal, else one JSON object per line.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace auralis {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kAuto, kText, kJson };

using LogValue = std::variant<std::int64_t, double, bool, std::string>;
using LogFields = std::initializer_list<std::pair<std::string_view, LogValue>>;

// Logs to standard error for the life of the object; one at a time. Without such an object, messages are
// dropped. The destructor flushes the queue, for half a second at most: the reader of standard error may have
// stopped.
class Log {
 public:
  // `process`, a plain word, is part of every message.
  Log(std::string_view process, LogLevel level, LogFormat format);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
};

// Any thread; never waits for the writer. Not once per chunk: count frequent events in metrics. In JSON,
// fields are members beside time, level, process and message, so their names must differ from these.
void log_debug(std::string_view message, LogFields fields = {});
void log_info(std::string_view message, LogFields fields = {});
void log_warning(std::string_view message, LogFields fields = {});
void log_error(std::string_view message, LogFields fields = {});

// Messages that the current Log dropped because standard error could not keep up.
std::uint64_t log_messages_dropped();

}  // namespace auralis
