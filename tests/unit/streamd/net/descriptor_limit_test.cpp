// SPDX-License-Identifier: MIT
#include "streamd/net/descriptor_limit.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <string>

namespace auralis::net_descriptor_limit_test {
namespace {

rlimit limit_now() {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  return limit;
}

TEST_CASE("the soft limit of descriptors is raised to the hard one") {
  const rlimit before = limit_now();
  const rlimit low{300, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  allow_descriptors(50);
  CHECK(limit_now().rlim_cur == before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_CASE("more listeners than there may be descriptors are refused in one sentence") {
  if (limit_now().rlim_max == RLIM_INFINITY) return;
  const auto listeners = static_cast<std::int64_t>(limit_now().rlim_max);
  try {
    allow_descriptors(listeners);
    FAIL("not refused");
  } catch (const DescriptorError& error) {
    const std::string sentence = error.what();
    CHECK(sentence.find("max_listeners") != std::string::npos);
    CHECK(sentence.find('\n') == std::string::npos);
  }
}

}  // namespace
}  // namespace auralis::net_descriptor_limit_test
