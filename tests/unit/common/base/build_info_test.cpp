// SPDX-License-Identifier: MIT
#include "common/base/build_info.h"

#include <doctest/doctest.h>

#include <string>

namespace auralis::build_info_test {
namespace {

TEST_CASE("the build has a version, a commit in hexadecimal or none known, and a compiler with its version") {
  CHECK(build_version() == AURALIS_VERSION);
  const std::string commit(build_commit());
  const bool hexadecimal =
      commit.size() >= 7 && commit.find_first_not_of("0123456789abcdef") == std::string::npos;
  CHECK_MESSAGE((hexadecimal || commit == "unknown"), commit);
  CHECK(build_compiler().find(std::to_string(__GNUC__) + ".") != std::string_view::npos);
}

}  // namespace
}  // namespace auralis::build_info_test
