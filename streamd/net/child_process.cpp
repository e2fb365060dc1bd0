// SPDX-License-Identifier: MIT
#include "streamd/net/child_process.h"

// WHY extern "C": the header of glibc 2.36 does not say it itself.
extern "C" {
#include <sys/pidfd.h>
}

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/file_descriptor.h"

namespace auralis {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

// What posix_spawn(3) does in the child before it becomes the program.
class SpawnSettings {
 public:
  explicit SpawnSettings(int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    // WHY: sockets of listeners would otherwise stay open with it.
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    // Not in real time, as threads that send may run.
    const sched_param none{};
    posix_spawnattr_setschedpolicy(&attributes_, SCHED_OTHER);
    posix_spawnattr_setschedparam(&attributes_, &none);
    sigset_t empty;
    sigemptyset(&empty);
    posix_spawnattr_setsigmask(&attributes_, &empty);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSCHEDULER | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

class ChildProcess final : public std::enable_shared_from_this<ChildProcess> {
 public:
  ChildProcess(asio::io_context& io, ChildCommand command);

  // Begins to wait for its end, and reads the first piece. Once, after the construction.
  void begin();
  void read_on();
  // Ends the process, and reports nothing any more.
  void abandon();

 private:
  struct Started {
    FileDescriptor output;
    FileDescriptor process;  // a pidfd: pidfd_open(2)
  };
  static Started start(const std::vector<std::string>& words);

  void await_end();
  void report_end();

  ChildCommand command_;
  asio::posix::stream_descriptor output_;
  asio::posix::stream_descriptor process_;
  std::array<char, 32 * 1'024> piece_{};
  bool read_all_ = false;
  bool abandoned_ = false;
  std::optional<int> status_;  // once it has ended
};

// What a worker holds of it.
class WorkersChild final : public ChildOutput {
 public:
  explicit WorkersChild(std::shared_ptr<ChildProcess> process) : process_(std::move(process)) {}
  ~WorkersChild() override { process_->abandon(); }
  WorkersChild(const WorkersChild&) = delete;
  WorkersChild& operator=(const WorkersChild&) = delete;

  void read_on() override { process_->read_on(); }

 private:
  std::shared_ptr<ChildProcess> process_;
};

ChildProcess::Started ChildProcess::start(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(errno, "pipe");
  FileDescriptor output(ends[0]);
  const FileDescriptor input(ends[1]);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));  // not changed
  arguments.push_back(nullptr);
  const SpawnSettings settings(input.get());
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, words.front().c_str(), settings.actions(), settings.attributes(),
                                  arguments.data(), environ);
  if (error != 0) fail(error, words.front());
  FileDescriptor process(::pidfd_open(pid, 0));
  if (process.is_open()) return {std::move(output), std::move(process)};
  const int why = errno;
  ::kill(pid, SIGKILL);  // not reaped yet: it is still this one
  ::waitpid(pid, nullptr, 0);
  fail(why, "pidfd_open");
}

ChildProcess::ChildProcess(asio::io_context& io, ChildCommand command)
    : command_(std::move(command)), output_(io), process_(io) {
  Started started = start(command_.words);
  output_.assign(started.output.release());
  process_.assign(started.process.release());
}

void ChildProcess::begin() {
  await_end();
  read_on();
}

void ChildProcess::read_on() {
  output_.async_read_some(asio::buffer(piece_),
                          [self = shared_from_this()](const asio::error_code& error, std::size_t read) {
                            if (self->abandoned_) return;
                            if (!error) return self->command_.on_output({self->piece_.data(), read});
                            self->read_all_ = true;
                            self->report_end();
                          });
}

void ChildProcess::await_end() {
  process_.async_wait(
      asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code& error) {
        if (error) return;
        siginfo_t end{};
        ::waitid(P_PIDFD, static_cast<id_t>(self->process_.native_handle()), &end, WEXITED | WNOHANG);
        self->status_ = end.si_code == CLD_EXITED ? end.si_status : -1;
        self->command_.hold.reset();
        self->report_end();
      });
}

void ChildProcess::report_end() {
  if (!read_all_ || !status_ || abandoned_ || !command_.on_end) return;
  const auto on_end = std::exchange(command_.on_end, nullptr);
  on_end(*status_);
}

void ChildProcess::abandon() {
  abandoned_ = true;
  asio::error_code ignored;
  output_.close(ignored);
  if (!status_) ::pidfd_send_signal(process_.native_handle(), SIGKILL, nullptr, 0);
}

}  // namespace

std::unique_ptr<ChildOutput> run_child(asio::io_context& io, ChildCommand command) {
  auto process = std::make_shared<ChildProcess>(io, std::move(command));
  process->begin();
  return std::make_unique<WorkersChild>(std::move(process));
}

}  // namespace auralis
