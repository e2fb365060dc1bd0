// SPDX-License-Identifier: MIT
// What several tests need: a folder of their own, the bytes of a file, a child process.
#pragma once

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <system_error>

namespace auralis::test {

inline void require(bool succeeded, const char* what) {
  if (!succeeded) throw std::system_error(errno, std::generic_category(), what);
}

// A fresh folder on tmpfs, where segments belong; removed with all that is in it.
class TempDir {
 public:
  TempDir() {
    std::string name = "/dev/shm/auralis-test-XXXXXX";
    require(mkdtemp(name.data()) != nullptr, "mkdtemp");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

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
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves nobody behind
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
