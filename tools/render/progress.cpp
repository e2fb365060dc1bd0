// SPDX-License-Identifier: MIT
#include "tools/render/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace auralis {
namespace {

constexpr std::int64_t kDrawPeriodNs = 200 * kNsPerMs;
constexpr std::size_t kUsualColumns = 80;
constexpr std::size_t kLongestBar = 40;
constexpr std::size_t kShortestBar = 5;

std::size_t columns_of(int terminal) {
  winsize size{};
  return ::ioctl(terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualColumns;
}

}  // namespace

std::string clock_text(double seconds) {
  constexpr double kLongest = 1e9;  // also for infinity
  const auto whole = static_cast<long>(std::clamp(seconds, 0.0, kLongest));
  std::array<char, 32> text{};
  if (whole < 3'600) {
    std::snprintf(text.data(), text.size(), "%ld:%02ld", whole / 60, whole % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%ld:%02ld:%02ld", whole / 3'600, whole / 60 % 60, whole % 60);
  }
  return text.data();
}

Progress::Progress(int terminal, std::int64_t total_frames, std::uint32_t sample_rate, const Clock& clock)
    : terminal_(::isatty(terminal) == 1 ? terminal : -1),
      total_frames_(total_frames),
      sample_rate_(sample_rate),
      clock_(clock),
      begin_ns_(clock.now_ns()),
      next_draw_ns_(begin_ns_ + kDrawPeriodNs) {}

void Progress::begin() {
  begin_ns_ = clock_.now_ns();
  next_draw_ns_ = begin_ns_ + kDrawPeriodNs;
}

void Progress::show(std::int64_t frames) {
  if (terminal_ < 0) return;
  const std::int64_t now_ns = clock_.now_ns();
  if (now_ns < next_draw_ns_) return;
  next_draw_ns_ = now_ns + kDrawPeriodNs;
  draw(line(frames));
}

double Progress::elapsed_seconds() const {
  return static_cast<double>(clock_.now_ns() - begin_ns_) / kNsPerSecond;
}

double Progress::speed(std::int64_t frames) const {
  const double elapsed = std::max(elapsed_seconds(), 1e-9);
  return static_cast<double>(frames) / sample_rate_ / elapsed;
}

std::string Progress::line(std::int64_t frames) const {
  const double share = static_cast<double>(frames) / static_cast<double>(total_frames_);
  const double times = speed(frames);
  std::array<char, 128> numbers{};
  std::snprintf(numbers.data(), numbers.size(), "%3.0f %%  %.0f times real time  ", share * 100, times);
  std::string text = numbers.data();
  const double left_s = static_cast<double>(total_frames_ - frames) / sample_rate_ / times;
  text += frames > 0 ? clock_text(left_s) + " left" : "...";
  // One column stays free: some terminals break the line after the last.
  const std::size_t used = text.size() + 4;
  const std::size_t columns = columns_of(terminal_);
  const std::size_t bar = std::min(kLongestBar, columns > used ? columns - used : 0);
  if (bar < kShortestBar) return text.substr(0, columns - 1);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(bar));
  return "[" + std::string(full, '#') + std::string(bar - full, '.') + "] " + text;
}

void Progress::clear() {
  if (drawn_) draw("");
}

void Progress::draw(const std::string& text) {
  drawn_ = !text.empty();
  const std::string bytes = "\r" + text + "\x1b[K";
  // Ignores errors: rendering goes on without a terminal.
  if (::write(terminal_, bytes.data(), bytes.size()) < 0) return;
}

}  // namespace auralis
