// SPDX-License-Identifier: MIT
#include "tools/render/sound.h"

#include <sndfile.h>

#include <cassert>
#include <cstddef>
#include <string>

#include "tools/render/file.h"

namespace auralis {
namespace {

constexpr int kChannels = 2;
constexpr double kVorbisQuality = 0.6;  // of 0 to 1; about 190 kbit/s

// A WAV's sizes are 32 bits. Beyond that it is an RF64 (EBU Tech 3306), which is a WAV with larger ones. The
// headers are far smaller than what is left free here.
constexpr std::int64_t kLargestWavBytes = 0xffff'0000;

int sndfile_format(const SoundFormat& format) {
  const int bits = format.bits == 24 ? SF_FORMAT_PCM_24 : SF_FORMAT_PCM_16;
  switch (format.type) {
    case SoundType::kWav: {
      const bool fits = format.frames <= kLargestWavBytes / (kChannels * std::int64_t{format.bits} / 8);
      return (fits ? SF_FORMAT_WAV : SF_FORMAT_RF64) | bits;
    }
    case SoundType::kFlac:
      return SF_FORMAT_FLAC | bits;
    case SoundType::kOgg:
      break;
  }
  return SF_FORMAT_OGG | SF_FORMAT_VORBIS;
}

NewFile& file_of(void* user) { return *static_cast<NewFile*>(user); }

// Virtual I/O for libsndfile: it does not report every failed write, such as those of an encoder that is
// being closed; NewFile remembers them.
SF_VIRTUAL_IO make_io() {
  SF_VIRTUAL_IO io{};
  io.get_filelen = [](void* user) -> sf_count_t { return file_of(user).size(); };
  io.seek = [](sf_count_t offset, int whence, void* user) -> sf_count_t {
    return file_of(user).seek(offset, whence);
  };
  io.read = [](void* data, sf_count_t size, void* user) -> sf_count_t {
    return static_cast<sf_count_t>(file_of(user).read(data, static_cast<std::size_t>(size)));
  };
  io.write = [](const void* data, sf_count_t size, void* user) -> sf_count_t {
    return static_cast<sf_count_t>(file_of(user).write(data, static_cast<std::size_t>(size)));
  };
  io.tell = [](void* user) -> sf_count_t { return file_of(user).seek(0, SEEK_CUR); };
  return io;
}

}  // namespace

struct SoundFile::Impl {
  NewFile file;
  SNDFILE* sound = nullptr;

  Impl(const std::filesystem::path& path, const SoundFormat& format, bool replace) : file(path, replace) {
    SF_INFO info{};
    info.samplerate = static_cast<int>(format.sample_rate);
    info.channels = kChannels;
    info.format = sndfile_format(format);
    SF_VIRTUAL_IO io = make_io();  // which libsndfile copies
    sound = sf_open_virtual(&io, SFM_WRITE, &info, &file);
    if (sound == nullptr) fail();
    double quality = kVorbisQuality;
    if (format.type == SoundType::kOgg)
      sf_command(sound, SFC_SET_VBR_ENCODING_QUALITY, &quality, sizeof quality);
  }
  ~Impl() {
    if (sound != nullptr) sf_close(sound);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Prefers the system's error to libsndfile's.
  [[noreturn]] void fail() const {
    file.check();
    file.fail("cannot be written: " + std::string(sf_strerror(sound)));
  }

  void check(sf_count_t written, std::int64_t frames) const {
    if (written != frames) fail();
    file.check();
  }
};

SoundFile::SoundFile(const std::filesystem::path& path, const SoundFormat& format, bool replace)
    : impl_(std::make_unique<Impl>(path, format, replace)) {}
SoundFile::~SoundFile() = default;

void SoundFile::write(const std::int16_t* samples, std::int64_t frames) {
  assert(impl_->sound != nullptr && "not after finish()");
  impl_->check(sf_writef_short(impl_->sound, samples, frames), frames);
}

void SoundFile::write(const float* samples, std::int64_t frames) {
  assert(impl_->sound != nullptr && "not after finish()");
  impl_->check(sf_writef_float(impl_->sound, samples, frames), frames);
}

void SoundFile::finish() {
  assert(impl_->sound != nullptr);
  const int error = sf_close(impl_->sound);
  impl_->sound = nullptr;
  impl_->file.sync();
  if (error != 0) impl_->file.fail("cannot be written: " + std::string(sf_error_number(error)));
}

void SoundFile::publish() {
  assert(impl_->sound == nullptr && "after finish()");
  impl_->file.publish();
}

}  // namespace auralis
