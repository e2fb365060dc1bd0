// SPDX-License-Identifier: MIT
#include "common/base/descriptor_limit.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>

namespace auralis::base_descriptor_limit_test {
namespace {

constexpr rlim_t kWanted = 65'536;

// The soft limit after the call, in a process of its own that begins with these limits; 0 if they cannot be
// had.
rlim_t raised_from(rlim_t soft, rlim_t hard) {
  rlim_t raised = 0;
  test::Pipe pipe;
  test::Child child([&] {
    const rlimit before{soft, hard};
    test::require(::setrlimit(RLIMIT_NOFILE, &before) == 0, "setrlimit");
    const std::uint64_t allowed = raise_descriptor_limit(kWanted);
    rlimit after{};
    test::require(::getrlimit(RLIMIT_NOFILE, &after) == 0, "getrlimit");
    test::require(allowed == after.rlim_cur, "the limit that it returned");
    const rlim_t now = after.rlim_cur;
    return ::write(pipe.write_end(), &now, sizeof now) == sizeof now ? 0 : 1;
  });
  if (child.wait() != 0) return 0;
  return ::read(pipe.read_end(), &raised, sizeof raised) == sizeof raised ? raised : 0;
}

rlim_t hard_limit() {
  rlimit limit{};
  test::require(::getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  return limit.rlim_max;
}

TEST_CASE("raise_descriptor_limit: raises the soft limit as far as the hard one allows, and no further") {
  const rlim_t hard = hard_limit();
  REQUIRE(hard >= 512);
  CHECK(raised_from(300, hard) == std::min<rlim_t>(hard, kWanted));
  CHECK(raised_from(300, 512) == 512);
}

TEST_CASE("raise_descriptor_limit: a limit that is high enough stays") {
  const rlim_t high = kWanted + 1;
  const rlim_t after = raised_from(high, std::max(hard_limit(), high));
  if (after == 0) return;  // only root raises the hard limit
  CHECK(after == high);
}

}  // namespace
}  // namespace auralis::base_descriptor_limit_test
