// SPDX-License-Identifier: MIT
#include "common/base/accept_choices.h"

#include <doctest/doctest.h>

namespace auralis::accept_choices_test {

TEST_CASE("accepts_gzip: where the client names it, or anything, without refusing it") {
  for (const char* yes : {"gzip", "GZIP", "x-gzip", "deflate, gzip, br", "br;q=1.0, gzip;q=0.001", "*",
                          "gzip ; q = 1", "*;q=0, gzip", "identity;q=0, *;q=0.5"}) {
    CHECK_MESSAGE(accepts_gzip(yes), yes);
  }
  for (const char* no : {"", "identity", "br", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzip;q=2", "gzip;q=a",
                         "gzipped", ", ,;"}) {
    CHECK_FALSE_MESSAGE(accepts_gzip(no), no);
  }
}

}  // namespace auralis::accept_choices_test
