// SPDX-License-Identifier: MIT
// How far a rendering is: on a terminal a line that is drawn anew a few times a second, elsewhere nothing.
// One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace auralis {

// 0:07, 12:34, 1:02:03: rounded down.
std::string clock_text(double seconds);

class Progress {
 public:
  // Draws on `terminal`, a file descriptor, if it is one.
  Progress(int terminal, std::int64_t total_frames, std::uint32_t sample_rate);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Time runs from here, else from the start.
  void begin();

  // Cheap where it is not yet time to draw.
  void show(std::int64_t frames);

  // Leaves the line empty.
  void clear();

  double elapsed_seconds() const;
  // Seconds of music a second.
  double speed(std::int64_t frames) const;

 private:
  std::string line(std::int64_t frames) const;
  void draw(const std::string& text);

  int terminal_;  // -1: none
  std::int64_t total_frames_;
  std::uint32_t sample_rate_;
  std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point next_draw_;
  bool drawn_ = false;  // there is something on the line
};

}  // namespace auralis
