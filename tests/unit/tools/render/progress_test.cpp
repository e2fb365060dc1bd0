// SPDX-License-Identifier: MIT
#include "tools/render/progress.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <limits>
#include <string>

namespace auralis::progress_test {
namespace {

// A terminal that keeps what is drawn on it.
class Terminal {
 public:
  Terminal() : keeper_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) {
    test::require(keeper_ >= 0 && ::grantpt(keeper_) == 0 && ::unlockpt(keeper_) == 0, "posix_openpt");
    std::array<char, 64> name{};
    test::require(::ptsname_r(keeper_, name.data(), name.size()) == 0, "ptsname");
    end_ = ::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    test::require(end_ >= 0, "open");
  }
  ~Terminal() {
    ::close(end_);
    ::close(keeper_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  int end() const { return end_; }

  // Returns what has been drawn since the last call.
  std::string drawn() const {
    std::array<char, 1'024> text{};
    const ssize_t got = ::read(keeper_, text.data(), text.size());
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "";
  }

 private:
  int keeper_;
  int end_ = -1;
};

}  // namespace

TEST_CASE("times are minutes and seconds, with hours if there are any, rounded down") {
  CHECK(clock_text(0) == "0:00");
  CHECK(clock_text(7.99) == "0:07");
  CHECK(clock_text(754) == "12:34");
  CHECK(clock_text(3'723) == "1:02:03");
  CHECK(clock_text(-5) == "0:00");
  CHECK(clock_text(std::numeric_limits<double>::infinity()) == "277777:46:40");
}

TEST_CASE("nothing is drawn except on a terminal") {
  const test::ManualClock clock;
  test::Pipe pipe;
  {
    Progress progress(pipe.write_end(), 44'100, 44'100, clock);
    clock.now += kNsPerSecond;
    progress.show(22'050);
    progress.clear();
  }
  CHECK(pipe.drain().empty());
}

TEST_CASE("the line is drawn on a terminal at most five times a second, and erased at the end") {
  const test::ManualClock clock;
  const Terminal terminal;
  {
    Progress progress(terminal.end(), 441'000, 44'100, clock);
    clock.now += 199 * kNsPerMs;
    progress.show(44'100);
    CHECK(terminal.drawn().empty());
    clock.now += kNsPerMs;
    progress.show(88'200);
    const std::string line = terminal.drawn();
    CHECK(line.find(" 20 %  10 times real time  0:00 left") != std::string::npos);
    CHECK(line.find("[####") != std::string::npos);
    clock.now += 199 * kNsPerMs;
    progress.show(132'300);
    CHECK(terminal.drawn().empty());
    clock.now += kNsPerMs;
    progress.show(132'300);
    CHECK(terminal.drawn().find(" 30 %") != std::string::npos);
  }
  CHECK(terminal.drawn() == "\r\x1b[K");
}

TEST_CASE("begin() restarts the clock") {
  const test::ManualClock clock;
  const Terminal terminal;
  Progress progress(terminal.end(), 441'000, 44'100, clock);
  clock.now += 10 * kNsPerSecond;
  progress.begin();
  progress.show(44'100);
  CHECK(terminal.drawn().empty());
  CHECK(progress.elapsed_seconds() == 0);
}

TEST_CASE("the speed is music rendered by time passed") {
  const test::ManualClock clock;
  Progress progress(-1, 44'100, 44'100, clock);
  clock.now += 2 * kNsPerSecond;
  CHECK(progress.elapsed_seconds() == 2);
  CHECK(progress.speed(std::int64_t{44'100} * 3'600) == 1'800);
  CHECK(progress.speed(0) == 0);
}

}  // namespace auralis::progress_test
