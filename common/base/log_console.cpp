// SPDX-License-Identifier: MIT
#include "common/base/log_console.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>

namespace auralis {
namespace {

using SteadyClock = std::chrono::steady_clock;

FileDescriptor connected(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (!socket.is_open() || connect(socket.get(), generic, sizeof address) != 0) return FileDescriptor();
  return socket;
}

}  // namespace

bool journal_reads_standard_error() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

LogConsole::LogConsole(LogFormat format, const std::string& journal_socket)
    : format_(format), prefix_(journal_reads_standard_error()) {
  if (format == LogFormat::kAuto) {
    if (prefix_) journal_path_ = journal_socket;
    format_ = isatty(STDERR_FILENO) == 1 ? LogFormat::kText : LogFormat::kJson;
  }
  colour_ = format_ == LogFormat::kText && isatty(STDERR_FILENO) == 1;
  open_standard_error();
}

void LogConsole::open_standard_error() {
  struct stat status {};
  if (fstat(STDERR_FILENO, &status) != 0) return;
  socket_ = S_ISSOCK(status.st_mode);
  if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
    // Open a separate file description: O_NONBLOCK on the inherited one would affect every process that
    // shares it.
    own_stderr_ = FileDescriptor(open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  }
}

void LogConsole::write(const LogRecord& record) {
  if (!journal_path_.empty() && send_to_journal(journal_entry(record))) return;
  std::string line = format_ == LogFormat::kText ? text_line(record, colour_) : json_line(record);
  if (prefix_) line.insert(0, journal_prefix(record.level));
  write_all(line);
}

// False if journald is not there, or does not take the entry: it reads standard error as well.
bool LogConsole::send_to_journal(const std::string& entry) {
  constexpr int kAttempts = 2;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (!journal_.is_open()) journal_ = connected(journal_path_);
    if (!journal_.is_open()) return false;
    while (wait_writable(journal_.get())) {
      if (send(journal_.get(), entry.data(), entry.size(), MSG_NOSIGNAL) >= 0) return true;
      if (errno == EMSGSIZE) return false;
      if (errno != EAGAIN && errno != EINTR) break;
    }
    if (given_up()) return true;
    journal_ = FileDescriptor();  // journald was restarted
  }
  return false;
}

void LogConsole::write_all(std::string_view text) const {
  while (!text.empty() && wait_writable(standard_error())) {
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
ssize_t LogConsole::write_some(std::string_view text) const {
  const std::size_t bytes = std::min<std::size_t>(text.size(), PIPE_BUF);
  if (socket_) return send(STDERR_FILENO, text.data(), bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
  return ::write(standard_error(), text.data(), bytes);
}

int LogConsole::standard_error() const { return own_stderr_.is_open() ? own_stderr_.get() : STDERR_FILENO; }

// False once the deadline has passed. Waits in slices, because the deadline may be set while it waits.
bool LogConsole::wait_writable(int descriptor) const {
  constexpr int kSliceMs = 20;
  pollfd polled{descriptor, POLLOUT, 0};
  while (!given_up()) {
    if (poll(&polled, 1, kSliceMs) > 0) return true;
  }
  return false;
}

bool LogConsole::given_up() const {
  return SteadyClock::now().time_since_epoch().count() >= deadline_.load();
}

void LogConsole::give_up_after(SteadyClock::time_point deadline) {
  deadline_.store(deadline.time_since_epoch().count());
}

}  // namespace auralis
