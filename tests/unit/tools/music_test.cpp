// SPDX-License-Identifier: MIT
#include "tools/music.h"

#include "synthd/engine/native_engine.h"

#include <doctest/doctest.h>

namespace auralis::music_test {
namespace {

struct Fixture {
  EngineShape shape;
  Timeline timeline;
  ParameterHistory history = begun_with(kPresets[3].parameters);

  // A chunk of a track of the piece that starts at `first_frame`.
  std::vector<std::int16_t> chunk(const std::vector<Track>& tracks, std::int64_t first_frame,
                                  std::int64_t number, std::size_t track) {
    shape.stations = tracks.size();
    NativeEngine engine(shape, 1);
    Music music(engine, timeline, 7, history, tracks, first_frame);
    do music.render_chunk();
    while (music.chunk_begin() < number * shape.chunk_frames);
    CHECK(music.chunk_begin() == number * shape.chunk_frames);
    CHECK(music.chunk_end() == (number + 1) * shape.chunk_frames);
    const std::int16_t* samples = engine.samples(track);
    return {samples, samples + std::size_t{shape.chunk_frames} * 2};
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "music from the middle on is the same as from the beginning") {
  const auto whole = chunk({kAllVoices}, 0, 150, 0);
  CHECK(chunk({kAllVoices}, std::int64_t{150} * 4'410, 150, 0) == whole);
  CHECK(chunk({kAllVoices}, std::int64_t{149} * 4'410 + 17, 150, 0) == whole);
}

TEST_CASE_FIXTURE(Fixture, "a track has its groups of voices alone, the others are silent in it") {
  const std::vector<Track> tracks{0b0001, 0b0010, kAllVoices, 0};
  const auto pads = chunk(tracks, 0, 60, 0);
  CHECK(chunk({0b0001}, 0, 60, 0) == pads);
  CHECK(chunk({kAllVoices}, 0, 60, 0) == chunk(tracks, 0, 60, 2));
  CHECK(pads != chunk(tracks, 0, 60, 2));
  for (const std::int16_t sample : chunk(tracks, 0, 60, 3)) REQUIRE(std::abs(sample) <= 1);  // dither
}

}  // namespace auralis::music_test
