// SPDX-License-Identifier: MIT
#include "common/music/parameter_history.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace auralis::parameter_history_test {
namespace {

constexpr Timeline kTimeline;
constexpr std::int64_t kChunk = 4'410;

MusicParameters at_tempo(float bpm) {
  MusicParameters parameters;
  parameters.bpm = bpm;
  return parameters;
}

// The bars one after the other, each composed when the first chunk that reaches to it is prepared.
std::vector<BarRecord> bars_one_by_one(const std::vector<ParameterChange>& changes, std::int64_t chunks) {
  std::vector<BarRecord> bars;
  std::size_t next_change = 0;
  MusicParameters target;
  std::int64_t start = 0;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    while (next_change < changes.size() && changes[next_change].chunk <= chunk) {
      target = changes[next_change++].parameters;
    }
    while (start < composed_until(kTimeline, chunk)) {
      const std::int64_t frames = bar_frames(target.bpm, kTimeline.sample_rate);
      bars.push_back({static_cast<std::int64_t>(bars.size()), start, frames, target});
      start += frames;
    }
  }
  return bars;
}

TEST_CASE("bars_before equals the end of an enumeration of all bars") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 30; ++round) {
    std::vector<ParameterChange> changes{{0, at_tempo(60)}};
    ParameterHistory history = begun_with(changes[0].parameters);
    for (std::int64_t chunk = 0; changes.size() < 100;
         chunk += 3 + static_cast<std::int64_t>(random() % 200)) {
      if (chunk == 0) continue;
      changes.push_back({chunk, at_tempo(static_cast<float>(40 + random() % 81))});
      add_change(history, kTimeline, changes.back());
    }
    constexpr std::int64_t kChunks = 12'000;
    const auto all = bars_one_by_one(changes, kChunks);
    for (int probe = 0; probe < 200; ++probe) {
      const auto end = static_cast<std::int64_t>(random() % (kChunks * kChunk));
      const Bars bars = bars_before(history, kTimeline, end);
      std::size_t before = 0;
      while (before < all.size() && all[before].start_frame < end) ++before;
      REQUIRE(bars.count == std::min(before, Bars::kMost));
      for (std::size_t i = 0; i < bars.count; ++i) CHECK(bars.bars[i] == all[before - bars.count + i]);
    }
  }
}

TEST_CASE("a bar line that a chunk's last tile reaches is composed with that chunk") {
  ParameterHistory history = begun_with(at_tempo(60));  // bars of 40 chunks
  for (const std::int64_t chunk : {39, 40}) {
    ParameterHistory changed = history;
    add_change(changed, kTimeline, {chunk, at_tempo(120)});
    // Chunk 39 ends where the bar begins, and so prepares it.
    const Bars bars = bars_before(changed, kTimeline, 40 * kChunk + 1);
    CHECK(bars.bars[1].parameters.bpm == (chunk == 39 ? 120 : 60));
  }
}

TEST_CASE("bar 1,000,000 is found like the first one") {
  const ParameterHistory history = begun_with(at_tempo(60));
  const Bars bars = bars_before(history, kTimeline, std::int64_t{1'000'000} * 176'400 + 1);
  REQUIRE(bars.count == Bars::kMost);
  CHECK((bars.end() - 1)->index == 1'000'000);
  CHECK((bars.end() - 1)->start_frame == std::int64_t{1'000'000} * 176'400);
  CHECK(bars.begin()->index == 999'985);
}

TEST_CASE("a full history drops its oldest change, and no bar of the others") {
  std::vector<ParameterChange> changes{{0, at_tempo(60)}};
  ParameterHistory history = begun_with(at_tempo(60));
  for (std::int64_t i = 1; i < 300; ++i) {
    changes.push_back({i * 50, at_tempo(static_cast<float>(40 + i % 80))});
    add_change(history, kTimeline, changes.back());
  }
  CHECK(history.count == history.changes.size());
  CHECK(history.changes[0].chunk == (300 - 128) * 50);
  CHECK(valid(history));
  const auto all = bars_one_by_one(changes, 15'000);
  const Bars bars = bars_before(history, kTimeline, 15'000 * kChunk);
  for (std::size_t i = 0; i < bars.count; ++i) CHECK(bars.bars[i] == all[all.size() - bars.count + i]);
  const Bars first = bars_before(history, kTimeline, history.first_bar_frame + 1);
  REQUIRE(first.count == 1);
  CHECK(first.bars[0] == all[static_cast<std::size_t>(history.first_bar)]);
}

TEST_CASE("changes keep their minimum distance, except in the same chunk, where the last one wins") {
  ParameterHistory history = begun_with(at_tempo(60));
  CHECK(keeps_spacing(history, kTimeline, 0));
  add_change(history, kTimeline, {0, at_tempo(70)});
  CHECK(history.count == 1);
  CHECK(target(history).bpm == 70);
  add_change(history, kTimeline, {1, at_tempo(80)});
  CHECK(keeps_spacing(history, kTimeline, 1));
  CHECK_FALSE(keeps_spacing(history, kTimeline, 3));
  CHECK(keeps_spacing(history, kTimeline, 4));
  add_change(history, kTimeline, {1, at_tempo(90)});
  REQUIRE(history.count == 2);
  CHECK(target(history).bpm == 90);
  CHECK(levels_in(history, 0).end->bpm == 70);
  CHECK(levels_in(history, 1).begin->bpm == 70);
  CHECK(levels_in(history, 1).end->bpm == 90);
  CHECK(levels_in(history, 2).begin->bpm == 90);
}

TEST_CASE("a change replaces all later ones") {
  ParameterHistory history = begun_with(at_tempo(60));
  for (const std::int64_t chunk : {100, 200, 300}) {
    add_change(history, kTimeline, {chunk, at_tempo(static_cast<float>(40 + chunk % 77))});
  }
  CHECK(keeps_spacing(history, kTimeline, 150));
  CHECK_FALSE(keeps_spacing(history, kTimeline, 101));
  CHECK(changes_after(history, 150) == 2);
  add_change(history, kTimeline, {150, at_tempo(119)});
  CHECK(valid(history));
  CHECK(history.count == 3);
  CHECK(target(history).bpm == 119);
  // Also if the first one is in the future, as a link may have it.
  ParameterHistory ahead = begun_with(at_tempo(60));
  ahead.changes[0].chunk = 1'000;
  CHECK(widened(shortened(ahead, kTimeline, 5)).changes[0].chunk == 5);
  add_change(ahead, kTimeline, {7, at_tempo(70)});
  CHECK(valid(ahead));
  CHECK(target(ahead).bpm == 70);
}

TEST_CASE("a short history keeps everything if it fits, else the current bar and what follows") {
  ParameterHistory history = begun_with(at_tempo(60));
  for (std::int64_t i = 1; i < 8; ++i)
    add_change(history, kTimeline, {100 * i, at_tempo(static_cast<float>(40 + 10 * i))});
  const std::int64_t at = 1'000;
  const auto same_bars = [&](const ParameterHistory& other) {
    const BarRecord now = *(bars_before(history, kTimeline, at * kChunk + 1).end() - 1);
    const Bars bars = bars_before(other, kTimeline, at * kChunk + 1);
    const BarRecord later = *(bars_before(history, kTimeline, 9'000 * kChunk).end() - 1);
    return bars.count > 0 && *(bars.end() - 1) == now &&
           *(bars_before(other, kTimeline, 9'000 * kChunk).end() - 1) == later;
  };
  CHECK(widened(shortened(history, kTimeline, at)).first_bar == 0);
  CHECK(same_bars(widened(shortened(history, kTimeline, at))));
  add_change(history, kTimeline, {900, at_tempo(55)});
  CHECK(widened(shortened(history, kTimeline, at)).first_bar > 0);
  CHECK(same_bars(widened(shortened(history, kTimeline, at))));
  // All within the current bar.
  for (std::int64_t chunk = 975; chunk < 1'000; chunk += 3) {
    MusicParameters louder = at_tempo(55);
    louder.intensity = static_cast<float>(chunk) / 1'000;
    add_change(history, kTimeline, {chunk, louder});
  }
  const ParameterHistory rest = widened(shortened(history, kTimeline, at));
  CHECK(valid(rest));
  CHECK(rest.count == 8);
  CHECK(same_bars(rest));
  CHECK(target(rest) == target(history));
}

TEST_CASE("a trimmed history is the same music from its chunk on, with no change that is older than needed") {
  ParameterHistory history = begun_with(at_tempo(60));
  for (std::int64_t i = 1; i < 100; ++i)
    add_change(history, kTimeline, {50 * i, at_tempo(static_cast<float>(40 + i % 80))});
  // Of 100 ms: those of the last 32 s, and the one in force before them.
  const ParameterHistory rest = trimmed(history, kTimeline, 3'010);
  CHECK(valid(rest));
  CHECK(rest.changes[0].chunk == 2'650);
  CHECK(rest.count == history.count - 53);
  for (const std::int64_t chunk : {3'010, 4'000, 6'000}) {
    const Bars all = bars_before(history, kTimeline, chunk * kChunk);
    const Bars bars = bars_before(rest, kTimeline, chunk * kChunk);
    REQUIRE(bars.count > 0);
    for (std::size_t i = 1; i <= bars.count; ++i) CHECK(*(bars.end() - i) == *(all.end() - i));
    CHECK(*levels_in(rest, chunk).begin == *levels_in(history, chunk).begin);
    CHECK(*levels_in(rest, chunk).end == *levels_in(history, chunk).end);
  }
  CHECK(trimmed(history, kTimeline, 1).count == history.count);
  CHECK(trimmed(begun_with(at_tempo(60)), kTimeline, 9'000).count == 1);
}

TEST_CASE("an impossible history is not valid") {
  ParameterHistory history = begun_with(at_tempo(60));
  add_change(history, kTimeline, {7, at_tempo(70)});
  CHECK(valid(history));
  SUBCASE("without changes") { history.count = 0; }
  SUBCASE("more changes than there is room for") { history.count = 129; }
  SUBCASE("chunks that do not rise") { history.changes[1].chunk = 0; }
  SUBCASE("a chunk before all") { history.changes[0].chunk = -1; }
  SUBCASE("a chunk beyond all") { history.changes[1].chunk = std::int64_t{1} << 41U; }
  SUBCASE("impossible parameters") { history.changes[1].parameters.bpm = 0; }
  SUBCASE("a bar before all") { history.first_bar = -1; }
  SUBCASE("a frame before all") { history.first_bar_frame = -1; }
  SUBCASE("a frame beyond all") { history.first_bar_frame = std::int64_t{1} << 60U; }
  CHECK_FALSE(valid(history));
}

}  // namespace
}  // namespace auralis::parameter_history_test
