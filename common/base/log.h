// SPDX-License-Identifier: MIT
// Logging that never blocks its caller: messages go through a bounded queue to one writer thread; when the
// queue is full the oldest are given up and counted. Text on a terminal, one JSON object a line otherwise.
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

// Starts logging to standard error for the life of the object; one at a time. Before and after it, and in
// processes that have none, messages are dropped. Its end writes out what is queued, for half a second at
// most: the reader of standard error may have stopped.
class Log {
 public:
  // `process` goes into every message: a plain word.
  Log(std::string_view process, LogLevel level, LogFormat format);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
};

// Any thread; never waits for the writing. Not for every chunk: figures of high frequency are metrics. In
// JSON the fields stand beside time, level, process and message, and so are called otherwise.
void log_debug(std::string_view message, LogFields fields = {});
void log_info(std::string_view message, LogFields fields = {});
void log_warning(std::string_view message, LogFields fields = {});
void log_error(std::string_view message, LogFields fields = {});

// Messages that the Log in force gave up because standard error could not keep up.
std::uint64_t log_messages_dropped();

}  // namespace auralis
