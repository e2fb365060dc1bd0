// SPDX-License-Identifier: MIT
// One session on an executor that the test holds up; threads: opus_session_concurrency_test.cpp.
#include "streamd/encode/opus_session.h"

#include <doctest/doctest.h>

#include "tests/unit/streamd/encode/opus_support.h"
#include "tests/unit/streamd/support.h"

namespace auralis::opus_session_test {
namespace {

struct Fixture {
  test::HeldExecutor executor;
  test::TestStation station;
  SystemClock clock;
  std::shared_ptr<OpusSession> session =
      std::make_shared<OpusSession>(executor, clock, OpusSession::Settings{"garden", 96'000, 1, false});

  Fixture() { executor.held = true; }
  void submit(std::int64_t first, std::int64_t last) {
    for (std::int64_t seq = first; seq <= last; ++seq) session->submit(station.chunk(seq));
  }
  std::vector<std::int64_t> take() {
    std::vector<std::int64_t> numbers;
    for (const auto& one : session->take_encoded()) numbers.push_back(one.seq);
    return numbers;
  }
};

TEST_CASE_FIXTURE(Fixture, "chunks come out in the order in which they went in, each once") {
  submit(4, 6);
  executor.run_waiting(2);
  CHECK(take() == std::vector<std::int64_t>{4, 5});
  executor.run_waiting(2);
  CHECK(take() == std::vector<std::int64_t>{6});
  CHECK(take().empty());
}

TEST_CASE_FIXTURE(Fixture, "one piece of work waits at the executor, however many chunks wait") {
  submit(1, 9);
  CHECK(executor.waiting.size() == 1);
  executor.run_waiting(1);
  CHECK(executor.waiting.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a chunk is pending from submission until it is taken") {
  CHECK_FALSE(session->pending(4));
  submit(4, 4);
  CHECK(session->pending(4));
  executor.run_waiting(1);
  CHECK(session->pending(4));
  take();
  CHECK_FALSE(session->pending(4));
}

TEST_CASE_FIXTURE(Fixture,
                  "chunks that are skipped never come out, and the encoder begins again after them") {
  submit(4, 4);
  executor.run_waiting(1);
  CHECK(session->take_encoded().at(0).first);
  submit(5, 7);
  session->skip_before(7);
  CHECK_FALSE(session->pending(6));
  executor.run_waiting(9);
  const auto encoded = session->take_encoded();
  REQUIRE(encoded.size() == 1);
  CHECK(encoded[0].seq == 7);
  CHECK(encoded[0].opus.begins);
  CHECK_FALSE(encoded[0].first);
}

TEST_CASE_FIXTURE(Fixture, "a chunk that cannot be encoded is missing, and no longer pending") {
  constexpr std::int32_t kNoBitrate = 0;
  const auto broken =
      std::make_shared<OpusSession>(executor, clock, OpusSession::Settings{"garden", kNoBitrate, 1, false});
  for (const std::int64_t seq : {4, 5}) broken->submit(station.chunk(seq));
  executor.run_waiting(2);
  CHECK(broken->take_encoded().empty());
  CHECK_FALSE(broken->pending(4));
  CHECK_FALSE(broken->pending(5));
}

TEST_CASE_FIXTURE(Fixture, "a session ends only when the work that it was given has") {
  submit(4, 4);
  const std::weak_ptr<OpusSession> watched = session;
  session.reset();
  CHECK_FALSE(watched.expired());
  executor.run_waiting(1);
  CHECK(watched.expired());
}

}  // namespace
}  // namespace auralis::opus_session_test
