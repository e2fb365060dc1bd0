// SPDX-License-Identifier: MIT
#include "common/music/parameter_history.h"

#include <algorithm>
#include <cmath>

namespace auralis {
namespace {

// The first frame from which on bars are composed from the change.
std::int64_t governs_from(const Timeline& timeline, const ParameterChange& change) {
  return composed_until(timeline, change.chunk - 1);
}

// Bars of `frames` frames that begin in [start, limit).
std::int64_t bars_between(std::int64_t start, std::int64_t limit, std::int64_t frames) {
  return start >= limit ? 0 : (limit - start - 1) / frames + 1;
}

// Makes the first bar of the second change the first of the history.
void forget_oldest(ParameterHistory& history, const Timeline& timeline) {
  const std::int64_t frames = bar_frames(history.changes[0].parameters.bpm, timeline.sample_rate);
  const std::int64_t bars =
      bars_between(history.first_bar_frame, governs_from(timeline, history.changes[1]), frames);
  history.first_bar += bars;
  history.first_bar_frame += bars * frames;
  std::move(history.changes.begin() + 1, history.changes.begin() + history.count, history.changes.begin());
  --history.count;
}

void forget(ParameterHistory& history, std::size_t index) {
  auto* const begin = history.changes.begin();
  std::move(begin + index + 1, begin + history.count, begin + index);
  --history.count;
}

template <std::size_t To, std::size_t From>
ParameterHistoryOf<To> copy_of(const ParameterHistoryOf<From>& history) {
  ParameterHistoryOf<To> copy;
  copy.first_bar = history.first_bar;
  copy.first_bar_frame = history.first_bar_frame;
  copy.count = history.count;
  std::copy_n(history.changes.begin(), std::min(To, From), copy.changes.begin());
  return copy;
}

}  // namespace

std::int64_t bar_frames(float bpm, std::uint32_t sample_rate) {
  constexpr double kBeats = 4;
  return std::llround(kBeats * 60.0 * sample_rate / double{bpm});
}

ParameterHistory begun_with(const MusicParameters& parameters) {
  ParameterHistory history;
  history.count = 1;
  history.changes[0].parameters = parameters;
  return history;
}

bool valid(const ParameterHistory& history) {
  if (history.count < 1 || history.count > history.changes.size()) return false;
  if (history.first_bar < 0 || history.first_bar > kMostHistoryChunks) return false;
  if (history.first_bar_frame < 0 || history.first_bar_frame > kMostHistoryFrames) return false;
  std::int64_t least = 0;
  for (std::size_t i = 0; i < history.count; ++i) {
    const ParameterChange& change = history.changes[i];
    if (change.chunk < least || change.chunk > kMostHistoryChunks || !valid(change.parameters)) return false;
    least = change.chunk + 1;
  }
  return true;
}

const MusicParameters& target(const ParameterHistory& history) {
  return history.changes[history.count - 1].parameters;
}

bool keeps_spacing(const ParameterHistory& history, const Timeline& timeline, std::int64_t chunk) {
  std::size_t before = history.count - 1;
  while (before > 0 && history.changes[before].chunk > chunk) --before;
  const std::int64_t since = chunk - history.changes[before].chunk;
  return before == 0 || since == 0 || since * timeline.chunk_ns() >= kChangeSpacingNs;
}

void add_change(ParameterHistory& history, const Timeline& timeline, const ParameterChange& change) {
  while (history.count > 1 && history.changes[history.count - 1].chunk > change.chunk) --history.count;
  // Only the parameters of the first change are meaningful.
  history.changes[0].chunk = std::min(history.changes[0].chunk, change.chunk);
  if (history.changes[history.count - 1].chunk != change.chunk) {
    if (history.count == history.changes.size()) forget_oldest(history, timeline);
    ++history.count;
  }
  history.changes[history.count - 1] = change;
}

Levels levels_in(const ParameterHistory& history, std::int64_t chunk) {
  std::size_t now = history.count - 1;
  while (now > 0 && history.changes[now].chunk > chunk) --now;
  const std::size_t before = now > 0 && history.changes[now].chunk == chunk ? now - 1 : now;
  return {&history.changes[before].parameters, &history.changes[now].parameters};
}

bool operator==(const BarRecord& a, const BarRecord& b) {
  return a.index == b.index && a.start_frame == b.start_frame && a.frames == b.frames &&
         a.parameters == b.parameters;
}

Bars bars_before(const ParameterHistory& history, const Timeline& timeline, std::int64_t end_frame) {
  Bars result;
  std::size_t written = 0;  // the newest bar replaces the oldest
  BarRecord bar{history.first_bar, history.first_bar_frame, 0, {}};
  for (std::size_t i = 0; i < history.count && bar.start_frame < end_frame; ++i) {
    bar.parameters = history.changes[i].parameters;
    bar.frames = bar_frames(bar.parameters.bpm, timeline.sample_rate);
    const bool last = i + 1 == history.count;
    const std::int64_t limit =
        last ? end_frame : std::min(end_frame, governs_from(timeline, history.changes[i + 1]));
    const std::int64_t bars = bars_between(bar.start_frame, limit, bar.frames);
    const std::int64_t left_out = std::max<std::int64_t>(bars - std::int64_t{Bars::kMost}, 0);
    const std::int64_t after = bar.index + bars;
    bar.index += left_out;
    bar.start_frame += left_out * bar.frames;
    for (; bar.index < after; ++bar.index, bar.start_frame += bar.frames) {
      result.bars[written++ % Bars::kMost] = bar;
    }
  }
  result.count = std::min(written, Bars::kMost);
  if (written > Bars::kMost) {
    std::rotate(result.bars.begin(), result.bars.begin() + written % Bars::kMost, result.bars.end());
  }
  return result;
}

ShortHistory shortened(const ParameterHistory& history, const Timeline& timeline, std::int64_t chunk) {
  ParameterHistory rest = history;
  const std::int64_t frame = timeline.first_frame(chunk);
  rest.changes[0].chunk = std::min(rest.changes[0].chunk, chunk);
  while (rest.count > ShortHistory{}.changes.size()) {
    ParameterHistory less = rest;
    forget_oldest(less, timeline);
    if (less.first_bar_frame <= frame) {
      rest = less;
    } else {
      forget(rest, 1);
    }
  }
  return copy_of<ShortHistory{}.changes.size()>(rest);
}

std::size_t changes_after(const ParameterHistory& history, std::int64_t chunk) {
  const auto* const end = history.changes.begin() + history.count;
  return static_cast<std::size_t>(std::count_if(
      history.changes.begin(), end, [&](const ParameterChange& change) { return change.chunk > chunk; }));
}

ParameterHistory trimmed(const ParameterHistory& history, const Timeline& timeline, std::int64_t chunk) {
  ParameterHistory rest = history;
  // As long as a change at least stays in a history that is full.
  const std::int64_t audible_ns = static_cast<std::int64_t>(rest.changes.size()) * kChangeSpacingNs;
  const std::int64_t oldest = chunk - audible_ns / timeline.chunk_ns();
  while (rest.count > 1 && rest.changes[1].chunk <= oldest) forget_oldest(rest, timeline);
  return rest;
}

ParameterHistory widened(const ShortHistory& history) {
  return copy_of<ParameterHistory{}.changes.size()>(history);
}

}  // namespace auralis
