// SPDX-License-Identifier: MIT
#include "tools/render/sndfile_file.h"

#include "tests/unit/support.h"
#include "tools/render/file.h"

#include <doctest/doctest.h>

#include <vector>

namespace auralis::sndfile_file_test {

using namespace test;

namespace {

SoundFormat format_of(SoundType type, unsigned bits) {
  SoundFormat format;
  format.type = type;
  format.bits = bits;
  format.sample_rate = 48'000;
  format.frames = 1'000;
  return format;
}

std::string written(const std::filesystem::path& path, const SoundFormat& format) {
  const auto file = create_sndfile_file(path, format, false);
  if (format.from_floats()) {
    const std::vector<float> samples(2'000, 0.25F);
    file->write(samples.data(), 1'000);
  } else {
    const std::vector<std::int16_t> samples(2'000, 8'192);
    file->write(samples.data(), 1'000);
  }
  CHECK_FALSE(std::filesystem::exists(path));
  file->finish();
  file->publish();
  return read_file(path);
}

std::uint32_t word(const std::string& bytes, std::size_t at, int size) {
  std::uint32_t value = 0;
  while (size-- > 0)
    value = value << 8U | static_cast<std::uint8_t>(bytes.at(at + static_cast<std::size_t>(size)));
  return value;
}

}  // namespace

TEST_CASE("a WAV has the rate, the bits and the samples that it was given") {
  const TempDir folder;
  for (const unsigned bits : {16U, 24U}) {
    CAPTURE(bits);
    const std::string wav =
        written(folder.path() / (std::to_string(bits) + ".wav"), format_of(SoundType::kWav, bits));
    CHECK(wav.substr(0, 4) == "RIFF");
    CHECK(wav.substr(8, 8) == "WAVEfmt ");
    CHECK(word(wav, 22, 2) == 2);
    CHECK(word(wav, 24, 4) == 48'000);
    CHECK(word(wav, 34, 2) == bits);
    const std::size_t data = wav.find("data");
    CHECK(word(wav, data + 4, 4) == 2'000 * bits / 8);
    // A quarter of full scale, whichever way it was given.
    CHECK(word(wav, data + 8, static_cast<int>(bits / 8)) == 1U << (bits - 3));
  }
}

TEST_CASE("FLAC and Ogg are what their names say") {
  const TempDir folder;
  CHECK(written(folder.path() / "a.flac", format_of(SoundType::kFlac, 16)).substr(0, 4) == "fLaC");
  const std::string ogg = written(folder.path() / "a.ogg", format_of(SoundType::kOgg, 16));
  CHECK(ogg.substr(0, 4) == "OggS");
  CHECK(ogg.find("vorbis") != std::string::npos);
}

TEST_CASE("a WAV that 32 bits cannot measure is an RF64") {
  const TempDir folder;
  SoundFormat format = format_of(SoundType::kWav, 16);
  format.frames = std::int64_t{1} << 31;
  CHECK(written(folder.path() / "long.wav", format).substr(0, 4) == "RF64");
}

TEST_CASE("24 bits and Vorbis take the float mix, 16 bits take the samples") {
  CHECK(format_of(SoundType::kWav, 24).from_floats());
  CHECK(format_of(SoundType::kOgg, 16).from_floats());
  CHECK_FALSE(format_of(SoundType::kFlac, 16).from_floats());
  CHECK_FALSE(format_of(SoundType::kOpus, 16).from_floats());
}

}  // namespace auralis::sndfile_file_test
