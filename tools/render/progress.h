// SPDX-License-Identifier: MIT
// The progress of a rendering, as one line on a terminal that is redrawn a few times a second; nothing if the
// output is no terminal. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/clock.h"

namespace auralis {

// 0:07, 12:34, 1:02:03: rounded down.
std::string clock_text(double seconds);

class Progress {
 public:
  // Draws on `terminal`, a file descriptor, if it is one. `clock` outlives it.
  Progress(int terminal, std::int64_t total_frames, std::uint32_t sample_rate, const Clock& clock);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Restarts the clock, which otherwise runs from construction.
  void begin();

  // Draws, at most five times a second: cheap to call often.
  void show(std::int64_t frames);

  // Erases the line.
  void clear();

  double elapsed_seconds() const;
  // Rendered seconds of music per second of time.
  double speed(std::int64_t frames) const;

 private:
  std::string line(std::int64_t frames) const;
  void draw(const std::string& text);

  int terminal_;  // -1: none
  std::int64_t total_frames_;
  std::uint32_t sample_rate_;
  const Clock& clock_;
  std::int64_t begin_ns_;
  std::int64_t next_draw_ns_;
  bool drawn_ = false;  // there is something on the line
};

}  // namespace auralis
