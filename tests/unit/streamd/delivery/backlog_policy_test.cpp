// SPDX-License-Identifier: MIT
#include "streamd/delivery/backlog_policy.h"

#include <doctest/doctest.h>

namespace auralis::backlog_policy_test {
namespace {

constexpr BacklogLimits kLimits{2'000'000'000, 100'000};

Backlog backlog(std::int64_t age_ns, std::size_t bytes) {
  Backlog backlog;
  backlog.oldest_age_ns = age_ns;
  backlog.queued_bytes = bytes;
  backlog.queued_chunks = 3;
  return backlog;
}

TEST_CASE("a listener whose chunks are young and few is sent to") {
  CHECK(backlog_action({}, kLimits) == BacklogAction::kSend);
  CHECK(backlog_action(backlog(kLimits.age_ns, kLimits.bytes), kLimits) == BacklogAction::kSend);
}

TEST_CASE("the oldest chunk is skipped if it is too old, or if too many bytes are queued") {
  CHECK(backlog_action(backlog(kLimits.age_ns + 1, 0), kLimits) == BacklogAction::kSkipOldest);
  CHECK(backlog_action(backlog(0, kLimits.bytes + 1), kLimits) == BacklogAction::kSkipOldest);
}

TEST_CASE("if no chunk waits there is nothing to skip, whatever is in flight") {
  Backlog only_pending = backlog(kLimits.age_ns + 1, kLimits.bytes + 1);
  only_pending.queued_chunks = 0;
  CHECK(backlog_action(only_pending, kLimits) == BacklogAction::kSend);
}

TEST_CASE("a listener that offered Opus beside PCM is stepped down rather than skipped") {
  Backlog slow = backlog(kLimits.age_ns + 1, 0);
  slow.can_step_down = true;
  CHECK(backlog_action(slow, kLimits) == BacklogAction::kStepDown);
  slow.oldest_age_ns = 0;
  CHECK(backlog_action(slow, kLimits) == BacklogAction::kSend);
}

TEST_CASE("a listener without progress for ten seconds is closed, whatever its backlog") {
  Backlog stalled = backlog(0, 0);
  stalled.since_progress_ns = kNoProgressCloseNs - 1;
  CHECK(backlog_action(stalled, kLimits) == BacklogAction::kSend);
  stalled.since_progress_ns = kNoProgressCloseNs;
  CHECK(backlog_action(stalled, kLimits) == BacklogAction::kClose);
  stalled.can_step_down = true;
  stalled.oldest_age_ns = kLimits.age_ns + 1;
  CHECK(backlog_action(stalled, kLimits) == BacklogAction::kClose);
}

}  // namespace
}  // namespace auralis::backlog_policy_test
