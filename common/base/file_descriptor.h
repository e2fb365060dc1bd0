// SPDX-License-Identifier: MIT
// An owned file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace auralis {

// Closes its descriptor in the destructor. One thread at a time. open() and the like return -1, with errno,
// where they fail: is_open() is false then.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) noexcept : fd_(fd) {}
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }

  int get() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }
  // Gives it up without closing it.
  int release() noexcept { return std::exchange(fd_, -1); }
  // Closes it and owns `fd` instead.
  void reset(int fd = -1) noexcept {
    const int former = std::exchange(fd_, fd);
    if (former >= 0) ::close(former);
  }

 private:
  int fd_;
};

}  // namespace auralis
