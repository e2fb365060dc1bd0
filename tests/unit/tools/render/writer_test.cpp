// SPDX-License-Identifier: MIT
#include "tools/render/writer.h"

#include "tests/unit/support.h"
#include "tools/render/file.h"

#include <doctest/doctest.h>

#include <vector>

namespace auralis::writer_test {

using namespace test;

namespace {

SoundFormat wav_of(std::int64_t frames) {
  SoundFormat format;
  format.frames = frames;
  return format;
}

}  // namespace

TEST_CASE("all that was written is in the file, in order, more than the queue holds") {
  const TempDir folder;
  constexpr std::int16_t kChunks = 300;
  SoundWriter writer(folder.path() / "a.wav", wav_of(kChunks), false);
  for (std::int16_t chunk = 0; chunk < kChunks; ++chunk) {
    const std::vector<std::int16_t> frame(2, chunk);  // gone before it is encoded
    writer.write(frame.data(), 1);
  }
  writer.end();
  writer.finish();
  CHECK_FALSE(std::filesystem::exists(folder.path() / "a.wav"));
  writer.publish();
  const std::string wav = read_file(folder.path() / "a.wav");
  const std::size_t data = wav.find("data") + 8;
  REQUIRE(wav.size() == data + std::size_t{kChunks} * 4);
  for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
    const auto low = static_cast<std::uint8_t>(wav[data + chunk * 4]);
    const auto high = static_cast<std::uint8_t>(wav[data + chunk * 4 + 1]);
    REQUIRE(std::size_t{low} + std::size_t{high} * 256 == chunk);
  }
}

TEST_CASE("a writer that is abandoned leaves no file") {
  const TempDir folder;
  {
    SoundWriter writer(folder.path() / "a.wav", wav_of(1'000), false);
    const std::vector<std::int16_t> samples(2'000);
    writer.write(samples.data(), 1'000);
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a file that cannot be created is refused at once") {
  const TempDir folder;
  CHECK_THROWS_AS(SoundWriter(folder.path() / "none" / "a.wav", wav_of(1), false), FileError);
}

}  // namespace auralis::writer_test
