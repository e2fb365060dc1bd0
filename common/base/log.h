// SPDX-License-Identifier: MIT
// Logging that never blocks its caller: messages go through a bounded queue to one writer thread; if the
// queue is full, the oldest are dropped and counted. On standard error, as text on a terminal, else as one
// JSON object per line; or in the journal; and in files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/log_types.h"

namespace auralis {

// The journal is used if standard error is connected to it and the format is kAuto.
struct LogTargets {
  std::string directory = {};  // of log files; empty: none
  std::string journal_socket = "/run/systemd/journal/socket";
};

// Logs for the life of the object; one at a time. Without such an object, messages are dropped. The
// destructor flushes the queue, for half a second at most: the reader of standard error may have stopped.
class Log {
 public:
  // `process`, a plain word, is part of every message. Files are JSON: PROCESS-2026-11-30.log for each day
  // (UTC), kept 30 days, and of errors alone PROCESS-errors-2026-11-30.log, kept 90 days.
  Log(std::string_view process, LogLevel level, LogFormat format, const LogTargets& targets = {});
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

// Whether the current Log writes messages of that level: costs one relaxed load. Ask before work that only a
// debug message needs.
bool logs(LogLevel level);

// The lowest level that the current Log writes; kError without one. Any thread.
LogLevel log_level();
void set_log_level(LogLevel level);

// Messages that the current Log dropped because its targets could not keep up.
std::uint64_t log_messages_dropped();

}  // namespace auralis
