// SPDX-License-Identifier: MIT
// A sound file that gets its name when it is complete: interface and formats.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace auralis {

enum class SoundType { kWav, kFlac, kOgg, kOpus };
inline constexpr std::array<std::string_view, 4> kSoundExtensions{".wav", ".flac", ".ogg", ".opus"};

// In place of a file's name: Ogg Opus, written to the standard output.
inline constexpr std::string_view kStandardOutput = "-";

// Stereo.
struct SoundFormat {
  SoundType type = SoundType::kWav;
  unsigned bits =
      16;  // a sample, 16 or 24; of no meaning for Ogg Vorbis, which takes the float mix, and Opus
  std::uint32_t sample_rate = 44'100;
  std::int64_t frames = 0;  // that will be written

  // Whether write() takes floats, else 16 bits. Opus takes the samples that a server encodes.
  bool from_floats() const { return type == SoundType::kOgg || (type != SoundType::kOpus && bits == 24); }
};

// One thread. All functions throw FileError.
class SoundFile {
 public:
  virtual ~SoundFile() = default;

  // Writes interleaved frames: floats (-1 to 1) if the format is from_floats(), else 16 bits.
  virtual void write(const std::int16_t* samples, std::int64_t frames) = 0;
  virtual void write(const float* samples, std::int64_t frames) = 0;

  // Completes the file and flushes it to the disk, still under its temporary name. After the last write().
  virtual void finish() = 0;

  // Gives the file its name. After finish().
  virtual void publish() = 0;
};

}  // namespace auralis
