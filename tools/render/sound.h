// SPDX-License-Identifier: MIT
// A sound file that gets its name when it is complete. The only user of libsndfile.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace auralis {

enum class SoundType { kWav, kFlac, kOgg };
inline constexpr std::array<std::string_view, 3> kSoundExtensions{".wav", ".flac", ".ogg"};

// Stereo.
struct SoundFormat {
  SoundType type = SoundType::kWav;
  unsigned bits = 16;  // a sample, 16 or 24; of no meaning for Ogg, whose Vorbis takes the float mix
  std::uint32_t sample_rate = 44'100;
  std::int64_t frames = 0;  // that will be written

  // Whether write() takes floats, else 16 bits.
  bool from_floats() const { return type == SoundType::kOgg || bits == 24; }
};

// One thread.
class SoundFile {
 public:
  // As NewFile. Throws FileError, as all functions do.
  SoundFile(const std::filesystem::path& path, const SoundFormat& format, bool replace);
  ~SoundFile();

  // Writes interleaved frames: floats (-1 to 1) if the format is from_floats(), else 16 bits.
  void write(const std::int16_t* samples, std::int64_t frames);
  void write(const float* samples, std::int64_t frames);

  // Completes the file and flushes it to the disk, still under its temporary name. After the last write().
  void finish();

  // Gives the file its name. After finish().
  void publish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
