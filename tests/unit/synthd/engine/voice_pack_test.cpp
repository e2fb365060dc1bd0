// SPDX-License-Identifier: MIT
#include "synthd/engine/voice_pack.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace auralis::voice_pack_test {
namespace {

constexpr EngineShape kShape{44'100, 4'410, 1, 4, false};

Voice voice(VoiceType type, std::int64_t start, float gain) {
  Voice v;
  v.type = type;
  v.start_frame = start;
  v.gate_frames = 44'100;
  v.phase_increment = 1'000'000;
  v.gain = gain;
  return v;
}

struct Packed {
  std::vector<PackedVoice> voices = std::vector<PackedVoice>(kShape.voices);
  PackedStation station;
  std::size_t dropped = 0;
};

Packed pack(const std::vector<Voice>& voices, std::int64_t first_frame) {
  StationChunk chunk;
  chunk.first_frame = first_frame;
  chunk.voices = voices.data();
  chunk.voice_count = voices.size();
  Packed packed;
  packed.dropped = VoicePacker(kShape).pack(chunk, packed.voices.data(), packed.station);
  return packed;
}

}  // namespace

TEST_CASE("only voices that sound in the chunk are packed, by type; a pad is two tones") {
  const Packed packed =
      pack({voice(VoiceType::kSwell, 1'000'000, 1), voice(VoiceType::kPad, 999'000, 1),
            voice(VoiceType::kPad, 1'004'480, 1),                      // starts in a later tile
            voice(VoiceType::kLead, 1'000'000 - 44'100 - 35'280, 1)},  // its release ends before the chunk
           1'000'000);
  CHECK(packed.dropped == 0);
  CHECK(std::vector<std::uint32_t>(packed.station.ends, packed.station.ends + 4) ==
        std::vector<std::uint32_t>{2, 2, 2, 3});
  CHECK(packed.station.first_tile == 15'625);
  CHECK(packed.station.first_frame == 0);
  CHECK(packed.voices[0].start == -1'000);
  CHECK(packed.voices[1].start == -1'000);
  CHECK(packed.voices[2].start == 0);
  // They differ in pitch and panning.
  CHECK(packed.voices[0].increment < 1'000'000);
  CHECK(packed.voices[1].increment > 1'000'000);
  CHECK(packed.voices[0].left > packed.voices[0].right);
  CHECK(packed.voices[1].left < packed.voices[1].right);
}

TEST_CASE("positions are relative to the first tile that the chunk touches") {
  const Packed packed = pack({voice(VoiceType::kSwell, 1'000'100, 1)}, 1'000'063);
  CHECK(packed.station.first_tile == 15'625);
  CHECK(packed.station.first_frame == 63);
  CHECK(packed.voices[0].start == 100);
}

TEST_CASE("frames far beyond 32 bits are packed relative to their chunk") {
  const std::int64_t far = 1LL << 40;
  const Packed packed = pack({voice(VoiceType::kSwell, far - 5, 1)}, far);
  REQUIRE(packed.station.ends[3] == 1);
  CHECK(packed.voices[0].start == -5);
}

TEST_CASE("a lead has three echoes, each quieter, darker and from the other side") {
  Voice lead = voice(VoiceType::kLead, 0, 1);
  lead.echo_frames = 10'000;
  const Packed packed = pack({lead}, 35'000);
  REQUIRE(packed.station.ends[3] == 4);
  for (std::size_t echo = 0; echo < 4; ++echo) {
    const PackedVoice& v = packed.voices[echo];
    // Counted from the tile of frame 34 944.
    CHECK(v.start == static_cast<std::int32_t>(echo) * 10'000 - 34'944);
    CHECK(v.increment == lead.phase_increment);
    if (echo == 0) continue;
    const PackedVoice& before = packed.voices[echo - 1];
    CHECK(v.left * v.left + v.right * v.right <
          0.25F * (before.left * before.left + before.right * before.right));
    CHECK(v.shape < before.shape);
    CHECK((v.left > v.right) == (echo % 2 == 1));
  }
  // The note has ended, its last echo has not.
  CHECK(pack({lead}, 44'100 + 35'280 + 25'000).station.ends[3] == 1);
  CHECK(pack({lead}, 44'100 + 35'280 + 30'064).station.ends[3] == 0);
}

TEST_CASE("tones that do not fit are dropped, the quietest first, then the oldest, in any order of voices") {
  std::vector<Voice> voices{voice(VoiceType::kSwell, 10, 0.5F), voice(VoiceType::kLead, 20, 0.5F),
                            voice(VoiceType::kSwell, 30, 0.1F), voice(VoiceType::kSwell, 40, 0.9F),
                            voice(VoiceType::kSwell, 50, 0.5F), voice(VoiceType::kLead, 60, 0.5F)};
  const Packed packed = pack(voices, 0);
  CHECK(packed.dropped == 2);  // the one of gain 0.1, and the one that starts at 10
  REQUIRE(packed.station.ends[3] == 4);
  std::vector<std::int32_t> starts;
  for (const auto& v : packed.voices) starts.push_back(v.start);
  std::sort(starts.begin(), starts.end());
  CHECK(starts == std::vector<std::int32_t>{20, 40, 50, 60});

  std::reverse(voices.begin(), voices.end());
  const Packed reversed = pack(voices, 0);
  for (std::size_t i = 0; i < 4; ++i) CHECK(reversed.voices[i].start == packed.voices[i].start);
}

TEST_CASE(
    "reverbs are fed in turns of 8 s and ring for 4 s; reverb_start() is the first frame that is still "
    "audible") {
  constexpr std::int64_t kTurn = std::int64_t{8} * 44'100;
  constexpr std::int64_t kTail = std::int64_t{4} * 44'100;
  for (const std::uint32_t seed : {0U, 44'100U}) {
    CAPTURE(seed);
    const std::int64_t begin = 5 * kTurn - seed;  // start of a turn
    CHECK(reverb_start(begin - 1, seed, 44'100) == begin - kTurn);
    CHECK(reverb_start(begin, seed, 44'100) == begin - kTurn);
    CHECK(reverb_start(begin + kTail - 1, seed, 44'100) == begin - kTurn);
    CHECK(reverb_start(begin + kTail, seed, 44'100) == begin);
    CHECK(reverb_start(100, seed, 44'100) == 0);

    StationChunk chunk;
    chunk.dither_seed = seed;
    VoicePacker packer(kShape);
    PackedStation station;
    const auto at = [&](std::int64_t first_frame) {
      chunk.first_frame = first_frame;
      packer.pack(chunk, nullptr, station);
      return station;
    };
    CHECK(at(begin - 1'000).reverb_switch == 1'000);
    CHECK(at(begin - 1'000).reverb_fade == 0);
    CHECK(at(begin).reverb_switch == 0);
    CHECK(at(begin).reverb_fed == at(begin - 1'000).reverb_fed);
    CHECK(at(begin + 1).reverb_fed != at(begin).reverb_fed);
    CHECK(at(begin + 1).reverb_switch > kShape.chunk_frames);
    CHECK(at(begin + 1).reverb_fade == kShape.chunk_frames);
    CHECK(at(begin + kTail - 300).reverb_fade == 300);
    CHECK(at(begin + kTail).reverb_fade == 0);
  }
}

TEST_CASE("a batch has at most one chunk per station, and only of existing stations") {
  EngineShape shape;
  shape.stations = 3;
  std::vector<StationChunk> batch(3);
  batch[1].station = 2;
  batch[2].station = 1;
  CHECK(is_batch(shape, batch.data(), 3));
  CHECK(is_batch(shape, batch.data(), 0));
  batch[2].station = 2;
  CHECK_FALSE(is_batch(shape, batch.data(), 3));
  batch[2].station = 3;
  CHECK_FALSE(is_batch(shape, batch.data(), 3));
}

}  // namespace auralis::voice_pack_test
