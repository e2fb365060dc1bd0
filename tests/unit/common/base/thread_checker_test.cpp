// SPDX-License-Identifier: MIT
#include "common/base/thread_checker.h"

#include <doctest/doctest.h>
#include <thread>
#include <type_traits>

using namespace auralis;

namespace {

bool is_current_elsewhere(const ThreadChecker& checker) {
  bool answer = false;
  std::thread([&] { answer = checker.is_current(); }).join();
  return answer;
}

}  // namespace

#ifndef NDEBUG

TEST_CASE("the first thread that asks is the object's thread, and no other is") {
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

TEST_CASE("an object that is handed over belongs to the next thread that asks") {
  ThreadChecker checker;
  CHECK(checker.is_current());
  checker.detach();
  CHECK(is_current_elsewhere(checker));
  CHECK_FALSE(checker.is_current());
}

#else

TEST_CASE("without asserts every thread is the object's thread, and nothing is kept") {
  ThreadChecker checker;
  CHECK(checker.is_current());
  CHECK(is_current_elsewhere(checker));
  checker.detach();
  CHECK(std::is_empty_v<ThreadChecker>);
}

#endif
