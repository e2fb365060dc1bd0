// SPDX-License-Identifier: MIT
#include "synthd/engine/voice_pack.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace auralis;

namespace {

constexpr EngineShape kShape{44'100, 4'410, 1, 4};

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

TEST_CASE("only voices that sound in the chunk are packed, by type") {
  const Packed packed = pack({voice(VoiceType::kSwell, 1'000'000, 1), voice(VoiceType::kPad, 999'000, 1),
                              voice(VoiceType::kPad, 1'004'410, 1),                      // starts after it
                              voice(VoiceType::kLead, 1'000'000 - 44'100 - 35'280, 1)},  // released before it
                             1'000'000);
  CHECK(packed.dropped == 0);
  CHECK(std::vector<std::uint32_t>(packed.station.ends, packed.station.ends + 4) ==
        std::vector<std::uint32_t>{1, 1, 1, 2});
  CHECK(packed.voices[0].start == -1'000);
  CHECK(packed.voices[1].start == 0);
}

TEST_CASE("frames far beyond 32 bits are packed relative to their chunk") {
  const std::int64_t far = 1LL << 40;
  const Packed packed = pack({voice(VoiceType::kPad, far - 5, 1)}, far);
  REQUIRE(packed.station.ends[3] == 1);
  CHECK(packed.voices[0].start == -5);
}

TEST_CASE("what does not fit is dropped: the quietest first, then the oldest, in whatever order they come") {
  std::vector<Voice> voices{voice(VoiceType::kPad, 10, 0.5F), voice(VoiceType::kLead, 20, 0.5F),
                            voice(VoiceType::kPad, 30, 0.1F), voice(VoiceType::kPad, 40, 0.9F),
                            voice(VoiceType::kPad, 50, 0.5F), voice(VoiceType::kLead, 60, 0.5F)};
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
