// SPDX-License-Identifier: MIT
#include "common/base/thread_checker.h"

#include <doctest/doctest.h>
#include <thread>
#include <type_traits>

namespace auralis::thread_checker_test {
namespace {

bool is_current_elsewhere(const ThreadChecker& checker) {
  bool answer = false;
  std::thread([&] { answer = checker.is_current(); }).join();
  return answer;
}

}  // namespace

#ifndef NDEBUG

TEST_CASE("the first thread that calls is_current() is the object's thread, and no other") {
  const ThreadChecker checker;
  CHECK(checker.is_current());
  CHECK(checker.is_current());
  CHECK_FALSE(is_current_elsewhere(checker));
  CHECK(checker.is_current());
}

TEST_CASE("an object may be made on another thread than the one that uses it") {
  const ThreadChecker checker;
  CHECK(is_current_elsewhere(checker));
  CHECK_FALSE(checker.is_current());
}

TEST_CASE("a detached object belongs to the next thread that calls is_current()") {
  ThreadChecker checker;
  CHECK(checker.is_current());
  checker.detach();
  CHECK(is_current_elsewhere(checker));
  CHECK_FALSE(checker.is_current());
}

#else

TEST_CASE("without asserts every thread is current, and no state is kept") {
  ThreadChecker checker;
  CHECK(checker.is_current());
  CHECK(is_current_elsewhere(checker));
  checker.detach();
  CHECK(std::is_empty_v<ThreadChecker>);
}

#endif

}  // namespace auralis::thread_checker_test
