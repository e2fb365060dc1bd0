// SPDX-License-Identifier: MIT
#include "synthd/station.h"

#include "synthd/engine/voice_pack.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace auralis;

namespace {

constexpr std::uint32_t kRate = 44'100;

// Where the voices of a chunk start that sound in it.
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

ControlRequest request(std::uint64_t number, const MusicParameters& parameters) {
  ControlRequest result;
  result.number = number;
  result.parameters = parameters;
  return result;
}

}  // namespace

TEST_CASE("a second change before the same chunk joins the ramp of the first") {
  Station station(1, kRate, Station::fresh_state(kPresets[0].parameters));
  const Timeline timeline;
  MusicParameters off = kPresets[0].parameters;
  off.voices = 0;
  const float before = station.prepare(timeline, 4).gains_end[0];
  station.apply(request(1, off), 5);
  station.apply(request(2, kPresets[3].parameters), 5);
  const StationChunk chunk = station.prepare(timeline, 5);
  CHECK(chunk.gains_start[0] == before);
  CHECK(chunk.gains_end[0] > before);  // more intensity
  CHECK(station.state().applied_request == 2);
}

TEST_CASE("what was played is recalled as it was, changes of level with it") {
  const Timeline timeline;
  Station station(3, kRate, Station::fresh_state(kPresets[0].parameters));
  std::vector<StationChunk> played;
  std::vector<std::vector<std::int64_t>> starts;
  for (std::int64_t chunk = 0; chunk < 300; ++chunk) {
    if (chunk % 17 == 5) {
      MusicParameters changed = kPresets[static_cast<std::size_t>(chunk) % 4].parameters;
      changed.voices = static_cast<std::uint8_t>(chunk % 16);
      station.apply(request(static_cast<std::uint64_t>(chunk), changed), chunk);
    }
    played.push_back(station.prepare(timeline, chunk));
    starts.push_back(sounding(played.back()));
  }
  Station again(3, kRate, station.state());
  for (std::int64_t chunk = 170; chunk < 300; ++chunk) {  // 13 s
    CAPTURE(chunk);
    const StationChunk recalled = again.recall(timeline, chunk);
    const auto index = static_cast<std::size_t>(chunk);
    CHECK(recalled.first_frame == played[index].first_frame);
    CHECK(recalled.gains_start == played[index].gains_start);
    CHECK(recalled.gains_end == played[index].gains_end);
    CHECK(sounding(recalled) == starts[index]);
  }
}

TEST_CASE("more changes of level than are remembered forget the oldest") {
  const Timeline timeline;
  Station station(3, kRate, Station::fresh_state(kPresets[0].parameters));
  for (std::int64_t chunk = 0; chunk < 100; ++chunk) {
    MusicParameters changed = kPresets[0].parameters;
    changed.intensity = static_cast<float>(chunk) / 100;
    station.apply(request(static_cast<std::uint64_t>(chunk + 1), changed), chunk);
    const StationChunk prepared = station.prepare(timeline, chunk);
    if (chunk > 0) CHECK(prepared.gains_start[0] < prepared.gains_end[0]);
  }
  CHECK(station.state().level_count == StationState::kLevelChanges);
}

TEST_CASE("a station forgets no note that still sounds, at any tempo, and outgrows no engine") {
  for (const float bpm : {40.0F, 120.0F}) {
    MusicParameters parameters;
    parameters.bpm = bpm;
    parameters.intensity = 1;
    parameters.harmonic_density = 1;
    Station station(1, kRate, Station::fresh_state(parameters));
    const Timeline timeline;
    for (std::int64_t chunk = 0; chunk < 3'000; ++chunk) {
      const StationChunk prepared = station.prepare(timeline, chunk);
      const auto starts = sounding(prepared);
      CHECK(2 * starts.size() <= EngineShape{}.voices);  // tones
      // The oldest bar remembered had fallen silent before what still rings in the reverb.
      const BarRecord& oldest = station.state().bars[0];
      if (oldest.index == 0) continue;
      const std::int64_t rings =
          reverb_start(prepared.first_frame, station.dither_seed(), kRate) / timeline.chunk_frames;
      const auto ringing = sounding(station.recall(timeline, rings));
      CHECK(*std::min_element(ringing.begin(), ringing.end()) >= oldest.start_frame + oldest.frames);
    }
  }
}

TEST_CASE("a station that starts from a stored state prepares the same chunk") {
  const Timeline timeline;
  Station station(9, kRate, Station::fresh_state(kPresets[3].parameters));
  station.prepare(timeline, 500);
  Station again(9, kRate, station.state());
  const StationChunk a = station.prepare(timeline, 501);
  const StationChunk b = again.prepare(timeline, 501);
  CHECK(a.first_frame == 501 * 4'410);
  CHECK(sounding(a) == sounding(b));
  CHECK(a.gains_end == b.gains_end);
  CHECK(a.dither_seed == b.dither_seed);
}

TEST_CASE("a station of which nothing was asked is anywhere what it would be if it had played so far") {
  const Timeline timeline;
  for (const auto& preset : kPresets) {
    CAPTURE(std::string(preset.name));
    Station played(5, kRate, Station::fresh_state(preset.parameters));
    for (std::int64_t chunk = 0; chunk < 1'500; ++chunk) {
      const StationChunk prepared = played.prepare(timeline, chunk);
      if (chunk % 97 != 0) continue;
      CAPTURE(chunk);
      Station there(5, kRate, Station::unchanged_state(preset.parameters, kRate, prepared.first_frame));
      const StationChunk found = there.prepare(timeline, chunk);
      CHECK(sounding(found) == sounding(prepared));
      CHECK(found.gains_end == prepared.gains_end);
      // What still rings in the reverb too.
      const std::int64_t rings =
          reverb_start(prepared.first_frame, there.dither_seed(), kRate) / timeline.chunk_frames;
      CHECK(sounding(there.recall(timeline, rings)) == sounding(played.recall(timeline, rings)));
    }
  }
}

TEST_CASE("pitches are of equal temperament at 440 Hz") {
  CHECK(phase_increment(69, 44'100) == 42'852'281);  // 440 / 44100 * 2^32
  CHECK(phase_increment(57, 44'100) == 21'426'141);
  CHECK(phase_increment(60, 48'000) == doctest::Approx(261.6255653 / 48'000 * 4'294'967'296.0).epsilon(1e-7));
}
