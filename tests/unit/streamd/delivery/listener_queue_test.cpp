// SPDX-License-Identifier: MIT
#include "streamd/delivery/listener_queue.h"

#include <doctest/doctest.h>

namespace auralis::listener_queue_test {
namespace {

constexpr BacklogLimits kLimits{2 * kNsPerSecond, 10'000};

QueuedMessage chunk(std::int64_t seq, std::int64_t queued_ns = 0) {
  const auto audio = std::make_shared<AudioMessage>(
      AudioMessage{make_raw_message(std::string(1'000, 'a')), seq, 100 * kNsPerMs, false});
  return {audio->message, audio, 1, queued_ns};
}

WireMessagePtr text() { return make_raw_message("{}"); }

TEST_CASE("one message is in flight at a time, the oldest first") {
  ListenerQueue queue(kLimits);
  CHECK(queue.idle());
  CHECK(queue.start_next(0) == nullptr);
  queue.push(chunk(1));
  queue.push({text(), nullptr, 0, 0});
  queue.push(chunk(2));
  REQUIRE(queue.start_next(0) != nullptr);
  CHECK(queue.start_next(0) == nullptr);
  CHECK(queue.finish().audio->seq == 1);
  CHECK(queue.start_next(0)->audio == nullptr);
  queue.finish();
  CHECK(queue.start_next(0)->audio->seq == 2);
  CHECK_FALSE(queue.idle());
  queue.finish();
  CHECK(queue.idle());
}

TEST_CASE("chunks and bytes are counted until they are finished, removed or skipped") {
  ListenerQueue queue(kLimits);
  queue.start(chunk(1), 0);
  for (std::int64_t seq = 2; seq < 5; ++seq) queue.push(chunk(seq));
  CHECK(queue.chunks() == 4);
  CHECK(queue.bytes() == 4'000);
  queue.finish();
  CHECK(queue.chunks() == 3);
  queue.skip_oldest_chunk(nullptr, 0);
  CHECK(queue.bytes() == 2'000);
  queue.start_next(0);
  CHECK(queue.chunks() == 2);
  CHECK(queue.remove_first()->audio->seq == 3);
  CHECK(queue.remove_first()->audio->seq == 4);
  CHECK_FALSE(queue.remove_first().has_value());
  CHECK(queue.chunks() == 0);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("a notice takes the place of the chunk that is skipped, and the one in flight is never skipped") {
  ListenerQueue queue(kLimits);
  queue.start(chunk(1), 0);
  CHECK(queue.oldest_chunk() == nullptr);
  queue.push({text(), nullptr, 0, 0});
  queue.push(chunk(2));
  queue.push(chunk(3));
  CHECK(queue.oldest_chunk()->seq == 2);
  const auto notice = make_raw_message("skipped");
  CHECK(queue.skip_oldest_chunk(notice, 0).audio->seq == 2);
  CHECK(queue.oldest_chunk()->seq == 3);
  CHECK(queue.bytes() == 2'000 + 2 + 7);
  CHECK(queue.finish().audio->seq == 1);
  queue.start_next(0);
  queue.finish();
  CHECK(queue.start_next(0)->message == notice);
}

TEST_CASE("text messages are bounded, notices among them, and one that leaves makes room") {
  ListenerQueue queue(kLimits);
  queue.start(chunk(1), 0);
  queue.push(chunk(2));
  for (std::size_t i = 0; i + 1 < ListenerQueue::kMaxTexts; ++i) queue.push({text(), nullptr, 0, 0});
  CHECK(queue.accepts_text());
  queue.skip_oldest_chunk(text(), 0);
  CHECK_FALSE(queue.accepts_text());
  queue.finish();
  queue.start_next(0);
  CHECK(queue.accepts_text());
}

TEST_CASE("the backlog is the age of the oldest waiting chunk, and the time without progress in flight") {
  ListenerQueue queue(kLimits);
  CHECK(queue.backlog(kNsPerSecond, false).since_progress_ns == 0);
  queue.start(chunk(1, 10), 10);
  queue.push(chunk(2, 30));
  const Backlog backlog = queue.backlog(100, true);
  CHECK(backlog.oldest_age_ns == 70);
  CHECK(backlog.since_progress_ns == 90);
  CHECK(backlog.queued_bytes == 2'000);
  CHECK(backlog.queued_chunks == 1);
  CHECK(backlog.can_step_down);
  queue.progressed(60);
  CHECK(queue.backlog(100, false).since_progress_ns == 40);
}

TEST_CASE("the policy is asked with the listener's own age limit, which is never above that of all") {
  ListenerQueue queue(kLimits);
  queue.start(chunk(1), 0);
  queue.push(chunk(2, 0));
  queue.set_max_age(kNsPerSecond);
  CHECK(queue.action(kNsPerSecond, false) == BacklogAction::kSend);
  CHECK(queue.action(kNsPerSecond + 1, false) == BacklogAction::kSkipOldest);
  CHECK(queue.action(kNsPerSecond + 1, true) == BacklogAction::kStepDown);
  queue.set_max_age(60 * kNsPerSecond);
  CHECK(queue.max_age_ns() == kLimits.age_ns);
  for (std::int64_t seq = 3; seq < 12; ++seq) queue.push(chunk(seq));
  CHECK(queue.action(0, false) == BacklogAction::kSkipOldest);  // by bytes
}

}  // namespace
}  // namespace auralis::listener_queue_test
