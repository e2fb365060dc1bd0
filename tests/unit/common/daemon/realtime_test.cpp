// SPDX-License-Identifier: MIT
#include "common/daemon/realtime.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

namespace auralis::realtime_test {
namespace {

// Of this process, in kB, as /proc/self/status has it.
long locked_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmLck:", 0) == 0) return std::stol(line.substr(6));
  }
  return -1;
}

struct MemoryLimit {
  explicit MemoryLimit(rlim_t limit) {
    REQUIRE(::getrlimit(RLIMIT_MEMLOCK, &before) == 0);
    const rlimit wanted{
        limit, before.rlim_max == RLIM_INFINITY || limit == RLIM_INFINITY ? RLIM_INFINITY : before.rlim_max};
    is_set = ::setrlimit(RLIMIT_MEMLOCK, &wanted) == 0;
  }
  ~MemoryLimit() {
    ::munlockall();
    ::setrlimit(RLIMIT_MEMLOCK, &before);
  }
  rlimit before{};
  bool is_set = false;
};

TEST_CASE("lock_memory: not under a limit, which a later allocation would meet") {
  const MemoryLimit limit(1 << 20);
  REQUIRE(limit.is_set);
  CHECK_FALSE(lock_memory());
  CHECK(locked_kb() == 0);
}

TEST_CASE("lock_memory: locks what is touched, where there is no limit") {
  const MemoryLimit limit(RLIM_INFINITY);
  if (!limit.is_set) return;  // this machine does not allow it
  CHECK(lock_memory());
  CHECK(locked_kb() > 0);
}

TEST_CASE("run_in_real_time: not without its limit, whatever else would allow it") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_RTPRIO, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_RTPRIO, &none) == 0);
  bool allowed = true;
  std::thread([&] { allowed = run_in_real_time(); }).join();
  ::setrlimit(RLIMIT_RTPRIO, &before);
  CHECK_FALSE(allowed);
}

TEST_CASE(
    "run_in_real_time: of the calling thread alone, where the limit allows it, and else nothing changes") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_RTPRIO, &before) == 0);
  const rlimit one{1, std::max<rlim_t>(1, before.rlim_max)};
  const bool is_set = ::setrlimit(RLIMIT_RTPRIO, &one) == 0;
  const int usual = ::sched_getscheduler(0);
  bool allowed = false;
  int policy = -1;
  int policy_of_child = -1;
  std::thread([&] {
    allowed = run_in_real_time();
    policy = ::sched_getscheduler(0);
    std::thread([&] { policy_of_child = ::sched_getscheduler(0); }).join();
  }).join();
  ::setrlimit(RLIMIT_RTPRIO, &before);
  CHECK(allowed == is_set);
  CHECK(policy == (allowed ? SCHED_RR | SCHED_RESET_ON_FORK : usual));
  CHECK(policy_of_child == (allowed ? SCHED_OTHER : usual));
  CHECK(::sched_getscheduler(0) == usual);
}

}  // namespace
}  // namespace auralis::realtime_test
