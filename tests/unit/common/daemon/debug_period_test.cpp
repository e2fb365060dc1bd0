// SPDX-License-Identifier: MIT
#include "common/daemon/debug_period.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace auralis::debug_period_test {
namespace {

using test::ManualClock;

// Returns what a log of level `configured` writes while `body` runs.
std::string logged(LogLevel configured, const std::function<void()>& body) {
  test::Pipe pipe;
  {
    const test::StderrTo redirected(pipe.write_end());
    const Log log("echod", configured, LogFormat::kText);
    body();
  }
  return pipe.drain();
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST_CASE("a debug period shows debug messages, says until when, and restores the configured level") {
  const ManualClock clock;
  const std::string text = logged(LogLevel::kWarning, [&] {
    DebugPeriod period(clock);
    log_debug("before");
    period.begin();
    log_debug("during");
    period.end();
    log_info("after");
    CHECK(log_level() == LogLevel::kWarning);
  });
  CHECK_FALSE(contains(text, "before"));
  CHECK(contains(text, "log level is debug for 10 minutes (SIGUSR1); SIGUSR2 ends it"));
  CHECK(contains(text, "until=2023-11-14T22:40:00Z\n"));
  CHECK(contains(text, "debug   echod: during\n"));
  CHECK(contains(text, "info    echod: log level is the configured one level=warning\n"));
  CHECK_FALSE(contains(text, "after"));
}

TEST_CASE("a debug period ends by itself after 10 minutes, counted from its last beginning") {
  ManualClock clock;
  logged(LogLevel::kInfo, [&] {
    DebugPeriod period(clock);
    period.begin();
    clock.now += DebugPeriod::kLengthNs - 1;
    period.step();
    CHECK(log_level() == LogLevel::kDebug);
    period.begin();
    clock.now += DebugPeriod::kLengthNs - 1;
    period.step();
    CHECK(log_level() == LogLevel::kDebug);
    clock.now += 1;
    period.step();
    CHECK(log_level() == LogLevel::kInfo);
  });
}

TEST_CASE("an end without a beginning keeps the level, and says it in one line") {
  const ManualClock clock;
  const std::string text = logged(LogLevel::kError, [&] {
    DebugPeriod period(clock);
    period.end();
    period.step();
    CHECK(log_level() == LogLevel::kError);
  });
  CHECK(contains(text, "log level is the configured one level=error\n"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

}  // namespace
}  // namespace auralis::debug_period_test
