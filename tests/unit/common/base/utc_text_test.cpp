// SPDX-License-Identifier: MIT
#include "common/base/utc_text.h"

#include <doctest/doctest.h>

namespace auralis::utc_text_test {

TEST_CASE("times are in UTC, to the second or to the millisecond") {
  CHECK(utc_text(0) == "1970-01-01T00:00:00Z");
  CHECK(utc_text(1'798'761'599) == "2026-12-31T23:59:59Z");
  CHECK(utc_text_ms(1'798'761'599'007'999'999) == "2026-12-31T23:59:59.007Z");
  CHECK(utc_text_ms(1'798'761'599'000'000'000) == "2026-12-31T23:59:59.000Z");
}

}  // namespace auralis::utc_text_test
