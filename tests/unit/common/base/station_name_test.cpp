// SPDX-License-Identifier: MIT
#include "common/base/station_name.h"

#include <doctest/doctest.h>

#include <string>

namespace auralis::station_name_test {
namespace {

TEST_CASE("a station's name is of 1 to 31 lower-case letters, digits, underscores and hyphens") {
  for (const char* good : {"a", "default", "night_2", "-", "0"}) CHECK_MESSAGE(is_station_name(good), good);
  CHECK(is_station_name(std::string(31, 'z')));
  for (const char* bad : {"", "Night", "a b", "a/b", "a.b", "a\n", "\xc3\xa4"})
    CHECK_FALSE_MESSAGE(is_station_name(bad), bad);
  CHECK_FALSE(is_station_name(std::string(32, 'z')));
  CHECK_FALSE(is_station_name(std::string_view("a\0", 2)));
}

}  // namespace
}  // namespace auralis::station_name_test
