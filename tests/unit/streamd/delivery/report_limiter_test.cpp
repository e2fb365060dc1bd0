// SPDX-License-Identifier: MIT
#include "streamd/delivery/report_limiter.h"

#include <doctest/doctest.h>

namespace auralis::report_limiter_test {
namespace {

using Verdict = ReportLimiter::Verdict;

TEST_CASE("one report a second counts") {
  ReportLimiter limiter(0);
  CHECK(limiter.judge(1, 0) == Verdict::kNote);
  CHECK(limiter.judge(kNsPerSecond, 0) == Verdict::kTooOften);
  CHECK(limiter.judge(kNsPerSecond + 1, 0) == Verdict::kNote);
}

TEST_CASE("reports that piled up while the process did not run are discarded, one for each second") {
  ReportLimiter limiter(5 * kNsPerSecond);  // absences from before do not count
  CHECK(limiter.judge(1, 5 * kNsPerSecond) == Verdict::kNote);
  CHECK(limiter.judge(2, 5 * kNsPerSecond) == Verdict::kTooOften);
  CHECK(limiter.judge(3, 7 * kNsPerSecond) == Verdict::kDiscard);
  CHECK(limiter.judge(4, 7 * kNsPerSecond) == Verdict::kDiscard);
  CHECK(limiter.judge(5, 7 * kNsPerSecond) == Verdict::kTooOften);
}

}  // namespace
}  // namespace auralis::report_limiter_test
