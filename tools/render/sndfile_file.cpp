// SPDX-License-Identifier: MIT
#include "tools/render/sndfile_file.h"

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
    case SoundType::kOpus:
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

class SndfileFile final : public SoundFile {
 public:
  SndfileFile(const std::filesystem::path& path, const SoundFormat& format, bool replace)
      : file_(path, replace) {
    SF_INFO info{};
    info.samplerate = static_cast<int>(format.sample_rate);
    info.channels = kChannels;
    info.format = sndfile_format(format);
    SF_VIRTUAL_IO io = make_io();  // which libsndfile copies
    sound_.reset(sf_open_virtual(&io, SFM_WRITE, &info, &file_));
    if (!sound_) fail();
    double quality = kVorbisQuality;
    if (format.type == SoundType::kOgg)
      sf_command(sound_.get(), SFC_SET_VBR_ENCODING_QUALITY, &quality, sizeof quality);
  }

  void write(const std::int16_t* samples, std::int64_t frames) override {
    assert(sound_ && "not after finish()");
    check(sf_writef_short(sound_.get(), samples, frames), frames);
  }

  void write(const float* samples, std::int64_t frames) override {
    assert(sound_ && "not after finish()");
    check(sf_writef_float(sound_.get(), samples, frames), frames);
  }

  void finish() override {
    assert(sound_);
    const int error = sf_close(sound_.release());
    file_.sync();
    if (error != 0) file_.fail("cannot be written: " + std::string(sf_error_number(error)));
  }

  void publish() override {
    assert(!sound_ && "after finish()");
    file_.publish();
  }

 private:
  struct Close {
    void operator()(SNDFILE* sound) const { sf_close(sound); }
  };

  // Prefers the system's error to libsndfile's.
  [[noreturn]] void fail() const {
    file_.check();
    file_.fail("cannot be written: " + std::string(sf_strerror(sound_.get())));
  }

  void check(sf_count_t written, std::int64_t frames) const {
    if (written != frames) fail();
    file_.check();
  }

  NewFile file_;
  std::unique_ptr<SNDFILE, Close> sound_;  // closed before the file
};

}  // namespace

std::unique_ptr<SoundFile> create_sndfile_file(const std::filesystem::path& path, const SoundFormat& format,
                                               bool replace) {
  return std::make_unique<SndfileFile>(path, format, replace);
}

}  // namespace auralis
