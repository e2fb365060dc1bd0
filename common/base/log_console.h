// SPDX-License-Identifier: MIT
// Where a daemon's log goes first: the journal, if standard error is connected to it, else standard error.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "common/base/file_descriptor.h"
#include "common/base/log_lines.h"

namespace auralis {

// Whether journald made standard error and reads it: JOURNAL_STREAM names its file (systemd.exec(5)). A
// process that was started with another standard error may have inherited the variable. While no thread
// changes the environment.
bool journal_reads_standard_error();

// One thread, except give_up_after(). Waits for a reader that is slow, without ever blocking in a write: its
// reader may have stopped.
class LogConsole {
 public:
  // kAuto: entries of the journal at `journal_socket` if JOURNAL_STREAM says that standard error is connected
  // to it, text on a terminal, else JSON. Lines of a chosen format carry the level's prefix for the journal.
  LogConsole(LogFormat format, const std::string& journal_socket);

  void write(const LogRecord& record);

  // Any thread. Sets the moment from which on records are dropped.
  void give_up_after(std::chrono::steady_clock::time_point deadline);
  // Whether records are dropped.
  bool given_up() const;

 private:
  void open_standard_error();
  bool send_to_journal(const std::string& entry);
  void write_all(std::string_view text) const;
  ssize_t write_some(std::string_view text) const;
  bool wait_writable(int descriptor) const;
  int standard_error() const;

  LogFormat format_;
  bool colour_ = false;
  bool prefix_ = false;        // the journal reads standard error
  std::string journal_path_;   // empty: no entries
  FileDescriptor journal_;     // connected when needed: journald may be restarted
  bool socket_ = false;        // standard error is one
  FileDescriptor own_stderr_;  // a non-blocking description of its own, where that is possible
  std::atomic<std::chrono::steady_clock::rep> deadline_{
      std::chrono::steady_clock::time_point::max().time_since_epoch().count()};
};

}  // namespace auralis
