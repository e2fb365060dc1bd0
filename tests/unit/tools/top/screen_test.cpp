// SPDX-License-Identifier: MIT
// On a pseudo terminal, of which the test is the other end.
#include "tools/top/screen.h"

#include "tests/unit/support.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace auralis::screen_test {

using namespace test;

namespace {

// A terminal of `rows` rows and 80 columns.
class PseudoTerminal {
 public:
  explicit PseudoTerminal(unsigned short rows) : user_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    require(user_ >= 0 && ::grantpt(user_) == 0 && ::unlockpt(user_) == 0, "posix_openpt");
    const std::string name = ::ptsname(user_);
    in_ = std::fopen(name.c_str(), "r");
    out_ = std::fopen(name.c_str(), "w");
    require(in_ != nullptr && out_ != nullptr, "fopen");
    const winsize size{rows, 80, 0, 0};
    require(::ioctl(user_, TIOCSWINSZ, &size) == 0, "TIOCSWINSZ");
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("LINES");
    ::unsetenv("COLUMNS");
  }
  ~PseudoTerminal() {
    std::fclose(in_);
    std::fclose(out_);
    hang_up();
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  // Closes the user's end, as a terminal's window that is closed.
  void hang_up() {
    if (user_ >= 0) ::close(user_);
    user_ = -1;
  }

  std::FILE* in() const { return in_; }
  std::FILE* out() const { return out_; }
  void type(const std::string& keys) const {
    require(::write(user_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()), "write");
  }
  // What was drawn since the last call.
  std::string drawn() const {
    std::string text;
    pollfd polled{user_, POLLIN, 0};
    while (::poll(&polled, 1, 100) > 0) {
      std::array<char, 4'096> part{};
      const ssize_t got = ::read(user_, part.data(), part.size());
      if (got <= 0) break;
      text.append(part.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int user_;
  std::FILE* in_ = nullptr;
  std::FILE* out_ = nullptr;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<Line> lines(int count) {
  std::vector<Line> page;
  for (int i = 0; i < count; ++i) page.push_back({"(" + std::to_string(i) + ")", Emphasis::kPlain});
  return page;
}

}  // namespace

TEST_CASE("a page is drawn, and scrolled within its ends") {
  const PseudoTerminal terminal(5);
  Screen screen(terminal.in(), terminal.out());
  screen.show(lines(8));
  const std::string first = terminal.drawn();
  CHECK(has(first, "(0)"));
  CHECK(has(first, "(4)"));
  CHECK_FALSE(has(first, "(5)"));
  for (int i = 0; i < 5; ++i) {
    terminal.type("\x1bOB");  // the arrow down
    CHECK(screen.wait(5'000) == Key::kNone);
  }
  CHECK(has(terminal.drawn(), "7"));
  terminal.type("\x1bOA");
  screen.wait(5'000);
  screen.show(lines(2));
  CHECK(has(terminal.drawn(), "0"));
}

TEST_CASE("keys are told") {
  const PseudoTerminal terminal(24);
  Screen screen(terminal.in(), terminal.out());
  screen.show(lines(3));
  CHECK(screen.wait(0) == Key::kNone);
  terminal.type("w");
  CHECK(screen.wait(5'000) == Key::kWindow);
  terminal.type("x");
  CHECK(screen.wait(5'000) == Key::kNone);
  terminal.type("q");
  CHECK(screen.wait(5'000) == Key::kQuit);
}

TEST_CASE("a terminal that is gone quits") {
  PseudoTerminal terminal(24);
  Screen screen(terminal.in(), terminal.out());
  screen.show(lines(3));
  terminal.drawn();
  terminal.hang_up();
  CHECK(screen.wait(5'000) == Key::kQuit);
}

TEST_CASE("what is no terminal, or an unknown one, is an error that says what to do") {
  const TempDir folder;
  std::FILE* const file = std::fopen((folder.path() / "file").c_str(), "w+");
  CHECK_THROWS_WITH_AS(Screen(file, file), doctest::Contains("--once"), std::runtime_error);
  std::fclose(file);
  const PseudoTerminal terminal(24);
  ::setenv("TERM", "abacus", 1);
  CHECK_THROWS_WITH_AS(Screen(terminal.in(), terminal.out()), doctest::Contains("TERM=abacus"),
                       std::runtime_error);
}

}  // namespace auralis::screen_test
