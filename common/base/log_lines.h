// SPDX-License-Identifier: MIT
// The forms of a log message: a line of JSON, a line of text, an entry of the journal. Pure, except that text
// has local time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/base/log_types.h"

namespace auralis {

struct LogRecord {
  std::chrono::system_clock::time_point time;
  LogLevel level = LogLevel::kInfo;
  std::string_view process;
  std::string_view members;  // as of json_members()
};

// Members of a JSON object, without its braces: "message", then the fields. Bytes that are not UTF-8 are
// replaced: they come from outside (a device's name, a client's request).
std::string json_members(std::string_view message, LogFields fields);

// Each ends with a line feed, and has no other.
std::string json_line(const LogRecord& record);
std::string text_line(const LogRecord& record, bool colour);

// An entry in the native protocol of systemd-journald. MESSAGE has the fields, too, so that they show in
// every form of journalctl; each is a field of its own as well, its name in capitals.
std::string journal_entry(const LogRecord& record);

// "<4>" and so on: the level of a line that journald reads from standard error (sd-daemon(3)).
std::string_view journal_prefix(LogLevel level);

// "2026-11-30", in UTC.
std::string utc_date(std::chrono::system_clock::time_point time);

}  // namespace auralis
