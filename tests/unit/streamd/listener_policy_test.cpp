// SPDX-License-Identifier: MIT
#include "streamd/listener_policy.h"

#include <doctest/doctest.h>

namespace auralis {
namespace {

constexpr std::int64_t kMaxAgeNs = 2'000'000'000;

TEST_CASE("a listener whose chunks are young is sent to") {
  CHECK(backlog_action({0, 0}, kMaxAgeNs) == BacklogAction::kSend);
  CHECK(backlog_action({kMaxAgeNs, kNoProgressCloseNs - 1}, kMaxAgeNs) == BacklogAction::kSend);
}

TEST_CASE("a chunk older than the limit is skipped") {
  CHECK(backlog_action({kMaxAgeNs + 1, 0}, kMaxAgeNs) == BacklogAction::kSkipOldest);
}

TEST_CASE("a listener without progress for ten seconds is closed, whatever its backlog") {
  CHECK(backlog_action({0, kNoProgressCloseNs}, kMaxAgeNs) == BacklogAction::kClose);
  CHECK(backlog_action({kMaxAgeNs + 1, kNoProgressCloseNs}, kMaxAgeNs) == BacklogAction::kClose);
}

}  // namespace
}  // namespace auralis
