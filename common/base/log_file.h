// SPDX-License-Identifier: MIT
// A log in files, one a day (UTC): DIRECTORY/STEM-2026-11-30.log. Files of former days are compressed
// (.log.gz), and removed after a number of days.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/file_descriptor.h"
#include "common/base/log_types.h"

namespace auralis {

// One thread. No error of the file system ends it. That a file cannot be written is reported once; it is
// tried again after kRetry, and what was to be written meanwhile is not in the file.
class LogFile {
 public:
  using Time = std::chrono::system_clock::time_point;
  // Called with a sentence for the operator, the file, and the system's error, if there is one.
  using Report = std::function<void(LogLevel level, std::string_view sentence, const std::string& file,
                                    const std::string& error)>;

  // `days`: that long are files kept, today's included.
  LogFile(std::string directory, std::string stem, int days, Report report);

  // Begins the day of `now` if it is a later one than before. Costs little if it is not.
  void begin_day(Time now);
  // Appends one line, which ends with a line feed, to the file of that day; begin_day() was called. Creates
  // the file, also if it was removed meanwhile. A line is in the file as a whole or not at all.
  void write(Time now, std::string_view line);

  static constexpr std::chrono::seconds kRetry{60};

 private:
  std::string path() const;
  bool open();
  bool append(std::string_view line);
  void fail(Time now, const std::string& error);
  void compress_and_remove(Time now);
  void compress(const std::string& file);

  std::string directory_;
  std::string stem_;
  int days_;
  Report report_;
  std::string date_;  // of the current day
  FileDescriptor file_;
  bool failing_ = false;
  Time retry_;
};

}  // namespace auralis
