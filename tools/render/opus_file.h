// SPDX-License-Identifier: MIT
// A sound file in Ogg Opus, or the same on the standard output: encoded as streamd encodes a station.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "streamd/encode/ogg_opus.h"
#include "streamd/encode/opus_stream.h"
#include "tools/render/file.h"
#include "tools/render/sound.h"

namespace auralis {

// As SoundFile. Plays up to 60 ms longer than what was written: whole packets, and the encoder's delay.
class OpusFile final : public SoundFile {
 public:
  // `path`: kStandardOutput, where nothing has to be published, or as NewFile.
  OpusFile(const std::filesystem::path& path, const SoundFormat& format, bool replace);

  void write(const std::int16_t* samples, std::int64_t frames) override;
  void write(const float* samples, std::int64_t frames) override;  // not called: the format is not of floats
  void finish() override;
  void publish() override;

 private:
  void encode_block();
  void put(const std::string& bytes);

  std::uint32_t sample_rate_;
  std::size_t block_samples_;
  std::optional<NewFile> file_;  // nothing: the standard output
  OpusStream encoder_;
  OggOpus ogg_;
  std::vector<std::int16_t> pending_;  // less than a block
  std::int64_t blocks_ = 0;            // encoded
};

}  // namespace auralis
