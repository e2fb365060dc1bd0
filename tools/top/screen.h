// SPDX-License-Identifier: MIT
// A page on a terminal, with what a key asks for. The only unit that includes ncurses. One thread, and one
// screen at a time in a process.
#pragma once

#include <cstdio>
#include <memory>
#include <vector>

#include "tools/top/page.h"

namespace auralis {

enum class Key { kNone, kQuit, kWindow };

class Screen {
 public:
  // Takes the terminal over, until destroyed. Throws std::runtime_error if it is none, or of an unknown kind.
  Screen(std::FILE* in, std::FILE* out);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // Draws as many of the lines as fit, from where the arrows have scrolled to.
  void show(const std::vector<Line>& page);

  // Waits for a key, at most so long; scrolls, and draws again where the terminal's size has changed. A
  // terminal that is gone is told as kQuit.
  Key wait(int milliseconds);

 private:
  void draw();
  void scroll_by(int lines);

  struct Terminal;
  std::unique_ptr<Terminal> terminal_;
  std::vector<Line> page_;
  std::size_t first_ = 0;  // line at the top
};

}  // namespace auralis
