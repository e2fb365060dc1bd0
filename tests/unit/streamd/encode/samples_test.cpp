// SPDX-License-Identifier: MIT
#include "streamd/encode/samples.h"

#include <doctest/doctest.h>

namespace auralis::samples_test {
namespace {

using namespace std::string_literals;

TEST_CASE("samples are read as they were stored, and are little-endian as bytes") {
  const Samples samples = Samples::copy_of({0x1234, -2});
  CHECK(samples.size() == 2);
  CHECK(samples[0] == 0x1234);
  CHECK(samples[1] == -2);
  CHECK(samples.bytes() == "\x34\x12\xfe\xff"s);
}

TEST_CASE("copies share the bytes and keep them alive") {
  Samples kept;
  {
    const Samples first = Samples::copy_of({1, 2, 3});
    kept = first;
    CHECK(kept.bytes().data() == first.bytes().data());
  }
  CHECK(kept[2] == 3);
}

TEST_CASE("no samples are no bytes") {
  CHECK(Samples().bytes().empty());
  CHECK(Samples::copy_of({}).size() == 0);
}

}  // namespace
}  // namespace auralis::samples_test
