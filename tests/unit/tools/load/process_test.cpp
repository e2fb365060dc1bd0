// SPDX-License-Identifier: MIT
#include "tools/load/process.h"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

namespace auralis::process_test {

TEST_CASE("a process has used time and memory, this one no more than it says itself") {
  volatile double sum = 0;
  while (own_cpu_s() < 0.05) sum = sum + 1;
  const auto usage = process_usage(::getpid());
  REQUIRE(usage);
  CHECK(usage->cpu_s >= 0.03);  // the kernel's ticks are 10 ms
  CHECK(usage->cpu_s <= own_cpu_s() + 0.03);
  CHECK(usage->rss_kib > 1'000);
  if (usage->pss_kib) CHECK(*usage->pss_kib <= usage->rss_kib);
}

TEST_CASE("of a process that has ended there is nothing") {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  REQUIRE(child > 0);
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(process_usage(child));
}

}  // namespace auralis::process_test
