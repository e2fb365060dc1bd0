// SPDX-License-Identifier: MIT
#include "streamd/net/request_deadlines.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

namespace auralis::request_deadlines_test {
namespace {

using Expired = std::vector<std::pair<ConnectionId, std::int64_t>>;

Expired expired(RequestDeadlines& deadlines, std::int64_t now_ns) {
  Expired all;
  deadlines.take_due(now_ns, [&](ConnectionId id, std::int64_t at_ns) { all.emplace_back(id, at_ns); });
  return all;
}

}  // namespace

TEST_CASE("a deadline expires once, at its moment, in the order of the beginnings") {
  RequestDeadlines deadlines(100);
  CHECK(deadlines.add(1, 1'000) == 1'100);
  CHECK(deadlines.add(2, 1'050) == 1'150);
  CHECK(expired(deadlines, 1'099).empty());
  CHECK(expired(deadlines, 1'150) == Expired{{1, 1'100}, {2, 1'150}});
  CHECK(expired(deadlines, 9'999).empty());
}

TEST_CASE("a deadline that is added while others expire waits for its own moment") {
  RequestDeadlines deadlines(100);
  deadlines.add(1, 0);
  int count = 0;
  deadlines.take_due(100, [&](ConnectionId id, std::int64_t) {
    ++count;
    deadlines.add(id, 100);
  });
  CHECK(count == 1);
  CHECK(expired(deadlines, 200) == Expired{{1, 200}});
}

TEST_CASE("a deadline is never 0, which stands for none") {
  RequestDeadlines deadlines(0);
  CHECK(deadlines.add(1, 0) == 1);
}

}  // namespace auralis::request_deadlines_test
