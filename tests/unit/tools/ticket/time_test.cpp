// SPDX-License-Identifier: MIT
#include "tools/ticket/time.h"

#include "common/base/utc_text.h"

#include "common/access/ticket.h"

#include <doctest/doctest.h>

namespace auralis::time_test {

TEST_CASE("a duration is a whole number above 0 with its unit") {
  CHECK(parse_duration("30s") == 30);
  CHECK(parse_duration("90m") == 5'400);
  CHECK(parse_duration("2h") == 7'200);
  CHECK(parse_duration("7d") == 604'800);
  for (const char* refused :
       {"", "s", "0s", "-1s", "1", "1.5h", " 1h", "1h ", "1w", "99999999999999999999d"}) {
    CAPTURE(refused);
    CHECK_FALSE(parse_duration(refused));
  }
}

TEST_CASE("a duration ends before the year 10000, also if its seconds would overflow") {
  CHECK(parse_duration(std::to_string(kLatestExpiry) + "s") == kLatestExpiry);
  CHECK_FALSE(parse_duration(std::to_string(kLatestExpiry + 1) + "s"));
  CHECK_FALSE(parse_duration("9223372036854775807d"));
}

TEST_CASE("a time is Unix time or ISO 8601 with its zone") {
  CHECK(parse_time("0") == 0);
  CHECK(parse_time("1798761599") == 1'798'761'599);
  CHECK(parse_time("2026-12-31T23:59:59Z") == 1'798'761'599);
  CHECK(parse_time("2027-01-01T00:59:59+01:00") == 1'798'761'599);
  for (const char* refused : {"", "-1", "2026-12-31", "2026-12-31T23:59:59", "2026-02-30T00:00:00Z",
                              "tomorrow", "1969-12-31T23:59:59Z", "2026-12-31T23:59:59Z ", "253402300800"}) {
    CAPTURE(refused);
    CHECK_FALSE(parse_time(refused));
  }
}

TEST_CASE("the text of a time is read back as the same time") {
  for (const std::int64_t unix_s : {std::int64_t{0}, std::int64_t{951'782'400}, kLatestExpiry}) {
    CAPTURE(unix_s);
    CHECK(parse_time(utc_text(unix_s)) == unix_s);
  }
}

}  // namespace auralis::time_test
