// SPDX-License-Identifier: MIT
#include "tools/top/screen.h"

#include <curses.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace auralis {
namespace {

enum Pair : short { kWarningPair = 1, kBadPair };

attr_t attributes_of(Emphasis emphasis) {
  switch (emphasis) {
    case Emphasis::kPlain:
      return A_NORMAL;
    case Emphasis::kHeading:
      return A_BOLD;
    case Emphasis::kWarning:
      return A_BOLD | (has_colors() ? COLOR_PAIR(kWarningPair) : A_UNDERLINE);
    case Emphasis::kBad:
      break;
  }
  return A_BOLD | (has_colors() ? COLOR_PAIR(kBadPair) : A_REVERSE);
}

}  // namespace

struct Screen::Terminal {
  SCREEN* screen;
  int input;

  Terminal(std::FILE* in, std::FILE* out) : screen(newterm(nullptr, out, in)), input(::fileno(in)) {
    if (screen == nullptr) {
      const char* const kind = std::getenv("TERM");
      throw std::runtime_error(std::string("the terminal's kind, TERM=") + (kind != nullptr ? kind : "") +
                               ", is unknown; set TERM, or use --once");
    }
    set_term(screen);
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    if (!has_colors()) return;
    start_color();
    use_default_colors();
    init_pair(kWarningPair, COLOR_YELLOW, -1);
    init_pair(kBadPair, COLOR_RED, -1);
  }
  ~Terminal() {
    endwin();
    delscreen(screen);
  }

  // Whether its other end was closed: no key comes any more, and waiting for one does not wait.
  bool is_gone() const {
    pollfd polled{input, POLLIN, 0};
    return ::poll(&polled, 1, 0) > 0 && (polled.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
  }

  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
};

Screen::Screen(std::FILE* in, std::FILE* out) {
  if (::isatty(::fileno(in)) != 1 || ::isatty(::fileno(out)) != 1)
    throw std::runtime_error("there is no terminal; use --once, --json or --metric");
  terminal_ = std::make_unique<Terminal>(in, out);
}
Screen::~Screen() = default;

void Screen::show(const std::vector<Line>& page) {
  page_ = page;
  scroll_by(0);
}

void Screen::draw() {
  erase();
  const auto rows = static_cast<std::size_t>(std::max(1, LINES));
  for (std::size_t row = 0; row < rows && first_ + row < page_.size(); ++row) {
    const Line& line = page_[first_ + row];
    const attr_t attributes = attributes_of(line.emphasis);
    attron(attributes);
    mvaddnstr(static_cast<int>(row), 0, line.text.c_str(), std::max(1, COLS));
    attroff(attributes);
  }
  refresh();
}

void Screen::scroll_by(int lines) {
  const auto rows = static_cast<std::size_t>(std::max(1, LINES));
  const std::size_t last = page_.size() > rows ? page_.size() - rows : 0;
  const auto wanted = static_cast<std::ptrdiff_t>(first_) + lines;
  first_ = std::min(static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, wanted)), last);
  draw();
}

Key Screen::wait(int milliseconds) {
  timeout(milliseconds);
  switch (getch()) {
    case 'q':
      return Key::kQuit;
    case 'w':
      return Key::kWindow;
    case KEY_UP:
      scroll_by(-1);
      break;
    case KEY_DOWN:
      scroll_by(1);
      break;
    case KEY_RESIZE:
      scroll_by(0);
      break;
    case ERR:
      if (terminal_->is_gone()) return Key::kQuit;
      break;
    default:
      break;
  }
  return Key::kNone;
}

}  // namespace auralis
