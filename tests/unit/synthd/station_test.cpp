// SPDX-License-Identifier: MIT
#include "synthd/station.h"

#include "synthd/engine/voice_pack.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace auralis::station_test {
namespace {

constexpr std::uint32_t kRate = 44'100;

// Start frames of the voices that sound in the chunk.
std::vector<std::int64_t> sounding(const StationChunk& chunk) {
  std::vector<std::int64_t> starts;
  for (const Voice* v = chunk.voices; v != chunk.voices + chunk.voice_count; ++v) {
    if (v->start_frame < chunk.first_frame + 4'410 &&
        v->start_frame + voice_frames(*v, kRate) + std::int64_t{3} * v->echo_frames > chunk.first_frame) {
      starts.push_back(v->start_frame);
    }
  }
  return starts;
}

constexpr std::size_t kPads = 0;

}  // namespace

TEST_CASE("a change ramps over its chunk, and is in force from then on") {
  Station station(1, Timeline{}, begun_with(kPresets[0].parameters));
  MusicParameters off = kPresets[0].parameters;
  off.voices = 0;
  const float before = station.prepare(4).gains_end[kPads];
  REQUIRE(station.takes_change(5));
  station.change(off, 5);
  CHECK(station.prepare(5).gains_start[kPads] == before);
  CHECK(station.prepare(5).gains_end[kPads] == 0);
  CHECK(station.prepare(6).gains_start[kPads] == 0);
  CHECK(station.prepare(4).gains_end[kPads] == before);
}

TEST_CASE("the content of a chunk does not depend on what was prepared before it") {
  Station station(3, Timeline{}, begun_with(kPresets[0].parameters));
  std::vector<StationChunk> played;
  std::vector<std::vector<std::int64_t>> starts;
  for (std::int64_t chunk = 0; chunk < 300; ++chunk) {
    if (chunk % 17 == 5) {
      MusicParameters changed = kPresets[static_cast<std::size_t>(chunk) % 4].parameters;
      changed.voices = static_cast<std::uint8_t>(chunk % 16);
      station.change(changed, chunk);
    }
    played.push_back(station.prepare(chunk));
    starts.push_back(sounding(played.back()));
  }
  // Prepare backwards, with a station that takes over.
  Station again(3, Timeline{}, station.history());
  for (std::int64_t chunk = 299; chunk >= 0; --chunk) {
    CAPTURE(chunk);
    const StationChunk recalled = again.prepare(chunk);
    const auto index = static_cast<std::size_t>(chunk);
    CHECK(recalled.first_frame == played[index].first_frame);
    CHECK(recalled.gains_start == played[index].gains_start);
    CHECK(recalled.gains_end == played[index].gains_end);
    CHECK(sounding(recalled) == starts[index]);
  }
}

TEST_CASE(
    "a station keeps every note that still sounds, at any tempo, and never exceeds the engine's voices") {
  for (const float bpm : {40.0F, 120.0F}) {
    MusicParameters parameters;
    parameters.bpm = bpm;
    parameters.intensity = 1;
    parameters.harmonic_density = 1;
    Station station(1, Timeline{}, begun_with(parameters));
    for (std::int64_t chunk = 0; chunk < 3'000; ++chunk) {
      const auto starts = sounding(station.prepare(chunk));
      CHECK(2 * starts.size() <= EngineShape{}.voices);  // tones
      // The oldest bar in the history was silent before the chunk.
      const Bars bars = bars_before(station.history(), Timeline{}, composed_until(Timeline{}, chunk));
      if (bars.begin()->index == 0) continue;
      CHECK(*std::min_element(starts.begin(), starts.end()) >=
            bars.begin()->start_frame + bars.begin()->frames);
    }
  }
}

TEST_CASE("however fast changes come, every note that still sounds or rings in the reverb is kept") {
  // Change the tempo as often as allowed, with chunks of any length.
  for (const std::uint32_t chunk_frames : {882U, 4'410U, 8'820U}) {
    CAPTURE(chunk_frames);
    const Timeline timeline{0, kRate, chunk_frames, 2};
    Station station(1, timeline, begun_with(kPresets[0].parameters));
    std::vector<std::vector<std::int64_t>> starts;
    for (std::int64_t chunk = 0; chunk * chunk_frames < 80 * std::int64_t{kRate}; ++chunk) {
      MusicParameters changed = kPresets[0].parameters;
      changed.bpm = static_cast<float>(40 + chunk % 81);
      if (station.takes_change(chunk)) station.change(changed, chunk);
      starts.push_back(sounding(station.prepare(chunk)));
      // First chunk of the warm-up of a station that takes over now.
      const std::int64_t rings = station.reverb_chunk(chunk);
      Station again(1, timeline, station.history());
      CHECK(sounding(again.prepare(rings)) == starts[static_cast<std::size_t>(rings)]);
    }
    CHECK(station.history().count == station.history().changes.size());
  }
}

TEST_CASE("pitches are in equal temperament with A4 at 440 Hz") {
  CHECK(phase_increment(69, 44'100) == 42'852'281);  // 440 / 44100 * 2^32
  CHECK(phase_increment(57, 44'100) == 21'426'141);
  CHECK(phase_increment(60, 48'000) == doctest::Approx(261.6255653 / 48'000 * 4'294'967'296.0).epsilon(1e-7));
}

}  // namespace auralis::station_test
