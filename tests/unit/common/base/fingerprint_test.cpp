// SPDX-License-Identifier: MIT
#include "common/base/fingerprint.h"

#include <doctest/doctest.h>

namespace auralis::fingerprint_test {
namespace {

TEST_CASE("a fingerprint is FNV-1a of the bytes and a terminating zero, the same in every build") {
  CHECK(Fingerprint().value() == 0xcbf29ce484222325ULL);
  CHECK(Fingerprint().add("a").value() == 0x089be207b544f1e4ULL);
}

TEST_CASE("the boundaries of parts matter, not only their concatenation") {
  CHECK(Fingerprint().add("ab").add("c").value() != Fingerprint().add("a").add("bc").value());
  CHECK(Fingerprint().add(1).add(0).value() != Fingerprint().add(0).add(1).value());
  CHECK(Fingerprint().add(std::uint64_t{1} << 63U).value() != Fingerprint().add(std::uint64_t{0}).value());
}

}  // namespace
}  // namespace auralis::fingerprint_test
