// SPDX-License-Identifier: MIT
#include "tools/render/fade.h"

#include <doctest/doctest.h>

namespace auralis::fade_test {
namespace {

TEST_CASE("a fade rises to the whole sound, and falls at the end, alike on both channels") {
  const Fade fade{8, 4};
  std::vector<std::int16_t> samples(16, 1'000);
  fade.apply(samples, 0);
  CHECK(samples == std::vector<std::int16_t>{250, 250, 500, 500, 750, 750, 1'000, 1'000,  //
                                             1'000, 1'000, 750, 750, 500, 500, 250, 250});
  std::vector<float> part(2, -0.5F);
  fade.apply(part, 6);
  CHECK(part == std::vector<float>{-0.25F, -0.25F});
}

TEST_CASE("without a length nothing is faded") {
  CHECK((Fade{100, 0}.gain(0)) == 1.0);
  CHECK((Fade{100, 0}.gain(99)) == 1.0);
}

}  // namespace
}  // namespace auralis::fade_test
