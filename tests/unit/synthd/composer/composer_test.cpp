// SPDX-License-Identifier: MIT
#include "synthd/composer/composer.h"

#include "synthd/composer/arc.h"
#include "synthd/composer/harmony.h"
#include "tests/unit/synthd/composer/support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace auralis::composer_test {
namespace {

using namespace test;

bool same(const Score& a, const Score& b) {
  if (a.count != b.count) return false;
  for (std::size_t i = 0; i < a.count; ++i) {
    const Note& x = a.notes.at(i);
    const Note& y = b.notes.at(i);
    if (x.start_frame != y.start_frame || x.gate_frames != y.gate_frames || x.seed != y.seed ||
        x.group != y.group || x.pitch != y.pitch || x.accent != y.accent || x.pan != y.pan) {
      return false;
    }
  }
  return true;
}

// FNV-1a (Fowler, Noll and Vo) over all fields of the notes.
std::uint64_t hash_of(const Score& score) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](std::uint64_t value) {
    for (int byte = 0; byte < 8; ++byte) {
      hash = (hash ^ (value >> (8 * byte) & 0xffU)) * 0x100000001b3U;
    }
  };
  const auto bits = [](float value) {
    std::uint32_t word = 0;
    std::memcpy(&word, &value, sizeof word);
    return word;
  };
  for (const Note& note : score) {
    add(static_cast<std::uint64_t>(note.start_frame));
    add(note.gate_frames);
    add(note.seed);
    add(static_cast<std::uint64_t>(note.group));
    add(note.pitch);
    add(bits(note.accent));
    add(bits(note.pan));
  }
  return hash;
}

// One line per bar: preset, seed, bar, hash of its notes.
std::string golden_bars() {
  std::ostringstream lines;
  for (const auto& preset : kPresets) {
    for (const std::uint64_t seed : {std::uint64_t{1}, ~std::uint64_t{0}}) {
      for (const std::int64_t index : {0, 1, 2, 3, 4, 5, 6, 7, 1'000, 1'000'000, 1'000'001}) {
        lines << preset.name << ' ' << seed << ' ' << index << ' ' << std::hex
              << hash_of(compose_bar(seed, bar_at(index, preset.parameters), kSampleRate)) << std::dec
              << '\n';
      }
    }
  }
  return lines.str();
}

}  // namespace

TEST_CASE(
    "a seed gives the same music on every machine: the bars of tests/unit/synthd/composer/golden_bars.txt") {
  const std::filesystem::path path =
      std::filesystem::path(AURALIS_SOURCE_DIR) / "tests/unit/synthd/composer/golden_bars.txt";
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  const std::string now = golden_bars();
  if (golden.str() != now) std::cout << now;  // new contents of the file, if the change is intended
  CHECK(golden.str() == now);
}

TEST_CASE("a bar is the same whatever was composed before it") {
  const MusicParameters& focus = kPresets[0].parameters;
  const Score alone = compose_bar(kSeed, bar_at(1'000'000, focus), kSampleRate);
  for (int index = 0; index < 100; ++index) compose_bar(kSeed, bar_at(index, focus), kSampleRate);
  CHECK(same(compose_bar(kSeed, bar_at(1'000'000, focus), kSampleRate), alone));
  CHECK_FALSE(same(compose_bar(kSeed + 1, bar_at(1'000'000, focus), kSampleRate), alone));
}

TEST_CASE("a bar has four beats") {
  CHECK(bar_frames(60, 44'100) == 4 * 44'100);
  CHECK(bar_frames(120, 48'000) == 2 * 48'000);
  CHECK(bar_frames(70, 44'100) == 151'200);
}

TEST_CASE("notes start in their bar and end within the time that a station keeps them") {
  for (const float bpm : {40.0F, 120.0F}) {
    for (const float intensity : {0.0F, 0.5F, 1.0F}) {
      MusicParameters parameters;
      parameters.bpm = bpm;
      parameters.intensity = intensity;
      for (int index = 0; index < 300; ++index) {
        const BarRecord bar = bar_at(index, parameters);
        for (const Note& note : compose_bar(kSeed, bar, kSampleRate)) {
          CHECK(note.start_frame >= bar.start_frame);
          CHECK(note.start_frame < bar.start_frame + bar.frames);
          CHECK(note.gate_frames > 0);
          // The longest swell lasts 8 s; a lead of 5 s with its echoes and releases is nearly as long.
          CHECK(note.start_frame + note.gate_frames <=
                bar.start_frame + bar.frames + std::int64_t{8} * kSampleRate);
        }
      }
    }
  }
}

TEST_CASE("pads hold the bar's chord for the bar, in every preset; a suspension gives way to its third") {
  int suspensions = 0;
  for (const auto& preset : kPresets) {
    for (int index = 0; index < 50; ++index) {
      const BarRecord bar = bar_at(index, preset.parameters);
      const Chord chord = chord_of(kSeed, index, preset.parameters);
      const std::int64_t end = bar.start_frame + bar.frames;
      std::size_t held = 0;
      for (const Note& note : compose_bar(kSeed, bar, kSampleRate)) {
        if (note.group != VoiceGroup::kPads) continue;
        const bool resolves = chord.suspension != 0 && note.pitch == chord.pitches[Chord::kThird];
        if (note.pitch == chord.suspension) {
          ++suspensions;
          CHECK(note.start_frame == bar.start_frame);
          CHECK(note.gate_frames == bar.frames / 2);
          continue;
        }
        ++held;
        CHECK(contains(chord.classes, note.pitch));
        CHECK(note.start_frame + note.gate_frames == end);
        CHECK(note.gate_frames == (resolves ? bar.frames - bar.frames / 2 : bar.frames));
      }
      CHECK(held == chord.pitch_count);
    }
  }
  CHECK(suspensions > 0);
}

TEST_CASE("a higher intensity has more notes") {
  std::size_t before = 0;
  for (const float intensity : {0.0F, 0.25F, 0.5F, 0.75F, 1.0F}) {
    MusicParameters parameters;
    parameters.intensity = intensity;
    const std::size_t notes = notes_of(VoiceGroup::kMelody, 2'000, parameters).size();
    CHECK(notes > before + before / 20);
    before = notes;
  }
}

TEST_CASE("an hour is not one minute repeated: fullness and height drift over minutes") {
  const MusicParameters& focus = kPresets[0].parameters;  // 15 bars a minute
  constexpr int kMinutes = 60;
  std::vector<double> fullness;  // mean number of pads per bar, per minute
  std::vector<double> height;    // of the melody
  for (int minute = 0; minute < kMinutes; ++minute) {
    double pads = 0;
    double pitches = 0;
    double notes = 0;
    for (int index = minute * 15; index < minute * 15 + 15; ++index) {
      for (const Note& note : compose_bar(kSeed, bar_at(index, focus), kSampleRate)) {
        if (note.group == VoiceGroup::kPads) ++pads;
        if (note.group != VoiceGroup::kMelody) continue;
        pitches += note.pitch;
        ++notes;
      }
    }
    fullness.push_back(pads / 15);
    if (notes > 0) height.push_back(pitches / notes);
  }
  const auto span = [](const std::vector<double>& values) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return *high - *low;
  };
  // Without the arc, these values are 1.1 and 7.9.
  CHECK(span(fullness) > 1.4);
  CHECK(span(height) > 8.5);
  // The change from bar to bar is small.
  for (int index = 0; index < kMinutes * 15; ++index) {
    const Arc a = arc_at(kSeed, index);
    const Arc b = arc_at(kSeed, index + 1);
    CHECK(std::abs(a.height - b.height) <= 1);
    CHECK(std::abs(a.fullness - b.fullness) <= kArcFullness / 8);
  }
}

TEST_CASE("the bars of an hour differ") {
  const MusicParameters& focus = kPresets[0].parameters;
  std::set<std::vector<std::int64_t>> bars;
  for (int index = 0; index < 900; ++index) {
    const BarRecord bar = bar_at(index, focus);
    std::vector<std::int64_t> heard;
    for (const Note& note : compose_bar(kSeed, bar, kSampleRate)) {
      heard.insert(heard.end(), {static_cast<std::int64_t>(note.group), note.pitch,
                                 note.start_frame - bar.start_frame, std::int64_t{note.gate_frames}});
    }
    bars.insert(heard);
  }
  CHECK(bars.size() > 750);  // bars without melody may repeat
}

TEST_CASE("kicks occur every 4 to 8 bars from intensity 0.3 up, and never below") {
  MusicParameters parameters;
  parameters.intensity = 0.29F;
  CHECK(notes_of(VoiceGroup::kKicks, 500, parameters).empty());
  parameters.intensity = 0.3F;
  const auto kicks = notes_of(VoiceGroup::kKicks, 500, parameters);
  REQUIRE(kicks.size() > 500 / 8);
  const std::int64_t bar = bar_frames(parameters.bpm, kSampleRate);
  for (std::size_t i = 1; i < kicks.size(); ++i) {
    const std::int64_t apart = kicks[i].start_frame / bar - kicks[i - 1].start_frame / bar;
    CHECK(apart >= 4);
    CHECK(apart <= 8);
  }
}

TEST_CASE("kicks have human timing: on the bar or up to 12 ms late, by varying amounts") {
  MusicParameters parameters;
  parameters.intensity = 1;
  const std::int64_t bar = bar_frames(parameters.bpm, kSampleRate);
  std::set<std::int64_t> late;
  for (const Note& kick : notes_of(VoiceGroup::kKicks, 1'000, parameters)) {
    late.insert(kick.start_frame % bar);
    CHECK(kick.start_frame % bar <= kSampleRate * 12 / 1'000);
  }
  CHECK(late.size() > 100);
}

TEST_CASE("swells are sparse and last 3 to 8 s") {
  const auto swells = notes_of(VoiceGroup::kSwells, 1'000, MusicParameters{});
  CHECK(swells.size() > 100);
  CHECK(swells.size() < 200);
  for (const Note& swell : swells) {
    CHECK(swell.gate_frames >= 3 * kSampleRate);
    CHECK(swell.gate_frames <= 8 * kSampleRate);
  }
}

}  // namespace auralis::composer_test
