// SPDX-License-Identifier: MIT
#include "tools/render/options.h"

#include "common/music/permalink.h"

#include <doctest/doctest.h>

#include <sstream>

namespace auralis::render_options_test {
namespace {

// Of a command line that is neither --help nor --version.
RenderOptions parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "auralis-render");
  std::ostringstream out;
  return parse_render_options(static_cast<int>(words.size()), words.data(), out).value();
}

std::string refusal(const std::vector<const char*>& words) {
  try {
    parsed(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("without options a file is a minute of the default station, from its beginning") {
  const RenderOptions options = parsed({"a.wav"});
  CHECK(options.first_frame == 0);
  CHECK(options.frames == 60 * 44'100);
  CHECK(options.seed == 1);
  CHECK(options.history.count == 1);
  CHECK(options.history.changes[0].parameters == kDefaultPreset.parameters);
  CHECK(options.format.type == SoundType::kWav);
  CHECK(options.format.bits == 16);
  CHECK(options.format.frames == options.frames);
  CHECK(options.config.synthd.engine == EngineChoice::kNative);
}

TEST_CASE("the extension says how a file is written, in any case") {
  CHECK(parsed({"a.FLAC", "--bits", "24"}).format.type == SoundType::kFlac);
  CHECK(parsed({"a.FLAC", "--bits", "24"}).format.bits == 24);
  CHECK(parsed({"a.Ogg"}).format.type == SoundType::kOgg);
  CHECK_FALSE(refusal({"a.mp3"}).empty());
  CHECK_FALSE(refusal({"a.ogg", "--bits", "16"}).empty());
}

TEST_CASE("the standard output takes Opus, and nothing beside it") {
  CHECK(parsed({"a.opus"}).format.type == SoundType::kOpus);
  CHECK(parsed({"-"}).format.type == SoundType::kOpus);
  CHECK(parsed({"-", "--background"}).background);
  CHECK(refusal({"-", "--stems"}).find("--stems") != std::string::npos);
  CHECK(refusal({"-", "--midi", "a.mid"}).find("--midi") != std::string::npos);
  CHECK_FALSE(refusal({"-", "--bits", "24"}).empty());
}

TEST_CASE("a fade takes at most half of the file") {
  CHECK(parsed({"a.wav", "--fade", "2"}).fade_frames == 2 * 44'100);
  CHECK(parsed({"a.wav"}).fade_frames == 0);
  CHECK_FALSE(refusal({"a.wav", "--seconds", "10", "--fade", "5.1"}).empty());
}

TEST_CASE("controls replace those of the preset, one by one") {
  const RenderOptions options =
      parsed({"a.wav", "--preset", "sleep", "--key", "F", "--bpm", "90", "--kicks", "off"});
  const MusicParameters& music = options.history.changes[0].parameters;
  CHECK(music.key == 5);
  CHECK(music.bpm == 90);
  CHECK_FALSE(music.has(VoiceGroup::kKicks));
  CHECK(music.mode == find_preset("sleep")->parameters.mode);
}

TEST_CASE("times are seconds, in frames of the rate") {
  const RenderOptions options = parsed({"a.wav", "--seconds", "1.5", "--at", "10", "--rate", "48000"});
  CHECK(options.frames == 72'000);
  CHECK(options.first_frame == 480'000);
  CHECK(options.format.sample_rate == 48'000);
  CHECK_FALSE(refusal({"a.wav", "--seconds", "0"}).empty());
}

TEST_CASE("stems are four files, sound may be left out for MIDI") {
  const auto files = parsed({"music/a.wav", "--stems"}).files();
  REQUIRE(files.size() == 4);
  CHECK(files[0] == "music/a-pads.wav");
  CHECK(files[3] == "music/a-swells.wav");
  CHECK(parsed({"--midi", "a.mid"}).files().empty());
  CHECK(parsed({"a.wav", "--midi", "a.mid"}).midi_file == "a.mid");
  CHECK_FALSE(refusal({"--midi", "a.mid", "--stems"}).empty());
  CHECK_FALSE(refusal({"a.wav", "--midi", "./a.wav"}).empty());
}

TEST_CASE("a link names the station and where to begin, and excludes the options that do") {
  const RenderOptions options = parsed({"a.wav", "--link", "http://localhost/?seed=9&preset=bright"});
  CHECK(options.seed == 9);
  CHECK(options.history.changes[0].parameters == find_preset("bright")->parameters);
  CHECK(refusal({"a.wav", "--link", "seed=9", "--key", "C"}).find("--key") == 0);
  CHECK(refusal({"a.wav", "--link", "preset=bright"}).find("seed") != std::string::npos);
}

TEST_CASE("what is missing, unknown or twice is refused with a hint") {
  CHECK(refusal({}).find("--help") != std::string::npos);
  CHECK(refusal({"a.wav", "--loud"}).find("--help") != std::string::npos);
  CHECK_FALSE(refusal({"a.wav", "b.wav"}).empty());
  CHECK_FALSE(refusal({"a.wav", "--device", "0"}).empty());
}

TEST_CASE("--help and --version are answered") {
  for (const char* flag : {"--help", "--version"}) {
    const std::array<const char*, 2> words{"auralis-render", flag};
    std::ostringstream out;
    CHECK_FALSE(parse_render_options(2, words.data(), out));
    CHECK(out.str().find("auralis-render") != std::string::npos);
  }
}

}  // namespace auralis::render_options_test
