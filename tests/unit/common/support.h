// SPDX-License-Identifier: MIT
// Support for tests of whole processes and of their files: the words of a file, a pipe, a child process.
#pragma once

#include "tests/unit/support.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>

namespace auralis::test {

inline std::uint64_t peek(const std::filesystem::path& path, std::uint64_t offset) {
  std::uint64_t word = 0;
  std::fstream stream(path, std::ios::binary | std::ios::in);
  stream.seekg(static_cast<std::streamoff>(offset)).read(reinterpret_cast<char*>(&word), sizeof word);
  return word;
}

inline void poke(const std::filesystem::path& path, std::uint64_t offset, std::uint64_t word) {
  std::fstream stream(path, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(static_cast<std::streamoff>(offset)).write(reinterpret_cast<const char*>(&word), sizeof word);
}

class Pipe {
 public:
  Pipe() { require(pipe2(ends_.data(), O_CLOEXEC) == 0, "pipe2"); }
  ~Pipe() {
    close_read();
    close_write();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // For one process to tell another that it has come so far.
  void tell() const { require(write(write_end(), "x", 1) == 1, "write"); }
  void await() const {
    char told = 0;
    require(read(read_end(), &told, 1) == 1, "read");
  }

  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_read() { close_end(ends_[0]); }
  void close_write() { close_end(ends_[1]); }

  // All that comes until the last writing end is closed; this one is closed first.
  std::string drain() {
    close_write();
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t bytes = 0; (bytes = read(read_end(), buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(bytes));
    }
    return text;
  }

 private:
  static void close_end(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }

  std::array<int, 2> ends_{-1, -1};
};

// A process that runs `body` and exits with what it returns (99 where it throws). No checks of doctest in
// there.
class Child {
 public:
  explicit Child(const std::function<int()>& body) {
    std::cout.flush();  // or both would print what is buffered
    pid_ = fork();
    require(pid_ >= 0, "fork");
    if (pid_ > 0) return;
    int status = 99;
    try {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves no child behind
      status = body();
    } catch (const std::exception&) {
      status = 99;
    }
    _exit(status);
  }
  ~Child() {
    if (pid_ > 0) wait_after(SIGKILL);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  void send(int signal) const { kill(pid_, signal); }

  // Its exit status, or minus the signal that ended it.
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }
  int wait_after(int signal) {
    send(signal);
    return wait();
  }

 private:
  pid_t pid_ = -1;
};

// Standard error of this process is `fd` for the life of the object.
class StderrTo {
 public:
  explicit StderrTo(int fd) : saved_(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
    require(saved_ >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO, "dup2");
  }
  ~StderrTo() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }
  StderrTo(const StderrTo&) = delete;
  StderrTo& operator=(const StderrTo&) = delete;

 private:
  int saved_;
};

}  // namespace auralis::test
