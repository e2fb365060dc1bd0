// SPDX-License-Identifier: MIT
#include "metricsd/event_spans.h"

#include <doctest/doctest.h>

namespace auralis::event_spans_test {
namespace {

struct SpansFixture {
  EventSpans spans;
  std::uint64_t last_id = 0;

  static std::int64_t at(std::int64_t seconds) { return seconds * kNsPerSecond; }

  LoggedEvent event(EventKind kind, std::string subject, std::int64_t seconds) {
    LoggedEvent event;
    event.id = ++last_id;
    event.kind = kind;
    event.subject = std::move(subject);
    event.begin_unix_ns = event.end_unix_ns = at(seconds);
    return event;
  }
};

}  // namespace

TEST_CASE_FIXTURE(SpansFixture,
                  "EventSpans: a daemon that was up, hangs and ends is away until it is up, once") {
  CHECK(spans.add({event(EventKind::kDown, "synthd", 0)}, at(0)).empty());
  CHECK(spans.add({event(EventKind::kUp, "synthd", 1)}, at(1)).empty());
  CHECK(spans.add({event(EventKind::kHang, "synthd", 5)}, at(5)).empty());
  CHECK(spans.add({event(EventKind::kDown, "synthd", 9)}, at(9)).empty());
  CHECK(spans.add({event(EventKind::kUp, "streamd", 10)}, at(10)).empty());
  const auto over = spans.add({event(EventKind::kUp, "synthd", 12)}, at(12));
  REQUIRE(over.size() == 1);
  CHECK(over[0].event.kind == EventKind::kHang);
  CHECK(over[0].event.begin_unix_ns == at(5));
  CHECK(over[0].end_unix_ns == at(12));
  CHECK(spans.add({event(EventKind::kUp, "synthd", 13)}, at(13)).empty());
}

TEST_CASE_FIXTURE(SpansFixture, "EventSpans: a condition lasts until it is cleared, beside others") {
  const LoggedEvent raised = event(EventKind::kRaised, "DeadAir", 1);
  CHECK(spans.add({raised, event(EventKind::kRaised, "LogLoss", 2)}, at(2)).empty());
  const auto over = spans.add({event(EventKind::kCleared, "DeadAir", 90)}, at(90));
  REQUIRE(over.size() == 1);
  CHECK(over[0].event.id == raised.id);
  CHECK(over[0].end_unix_ns == at(90));
}

TEST_CASE_FIXTURE(SpansFixture, "EventSpans: what is counted is over once it is no longer extended") {
  LoggedEvent hole = event(EventKind::kHole, "day", 1);
  CHECK(spans.add({hole}, at(1)).empty());
  hole.end_unix_ns = at(3);
  hole.count = 20;
  CHECK(spans.add({hole}, at(3)).empty());
  CHECK(spans.add({}, at(6)).empty());
  const auto over = spans.add({}, at(7));
  REQUIRE(over.size() == 1);
  CHECK(over[0].event.begin_unix_ns == at(1));
  CHECK(over[0].end_unix_ns == at(3));
  CHECK(over[0].event.count == 20);
  CHECK(spans.add({}, at(20)).empty());
}

TEST_CASE_FIXTURE(SpansFixture, "EventSpans: a reload takes no time") {
  const auto over = spans.add({event(EventKind::kReload, "streamd", 4)}, at(4));
  REQUIRE(over.size() == 1);
  CHECK(over[0].end_unix_ns == at(4));
}

}  // namespace auralis::event_spans_test
