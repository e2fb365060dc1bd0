// SPDX-License-Identifier: MIT
#include "common/base/file_descriptor.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cerrno>

namespace auralis::file_descriptor_test {
namespace {

int new_descriptor() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST_CASE("a descriptor is closed with its owner") {
  int number = -1;
  {
    const FileDescriptor owner(new_descriptor());
    REQUIRE(owner.is_open());
    number = owner.get();
    CHECK(is_open(number));
  }
  CHECK_FALSE(is_open(number));
}

TEST_CASE("an owner that was moved from or has released its descriptor does not close it") {
  FileDescriptor first(new_descriptor());
  const int number = first.get();
  {
    FileDescriptor second(std::move(first));
    CHECK(second.get() == number);
    CHECK(second.release() == number);
    CHECK_FALSE(second.is_open());
  }
  CHECK(is_open(number));
  ::close(number);
}

TEST_CASE("an owner that gets another descriptor closes its former one") {
  FileDescriptor owner(new_descriptor());
  const int former = owner.get();
  FileDescriptor other(new_descriptor());
  const int number = other.get();
  owner = std::move(other);
  CHECK_FALSE(is_open(former));
  CHECK(owner.get() == number);
  owner.reset();
  CHECK_FALSE(is_open(number));
}

TEST_CASE("a failed open() is owned without a descriptor, and leaves errno alone") {
  errno = EACCES;
  { const FileDescriptor owner(-1); }
  CHECK(errno == EACCES);
}

}  // namespace
}  // namespace auralis::file_descriptor_test
