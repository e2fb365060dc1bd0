// SPDX-License-Identifier: MIT
#include "tools/render/opus_file.h"

#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace auralis {
namespace {

constexpr std::size_t kStereo = 2;
constexpr std::uint32_t kBlocksPerSecond = 10;  // a page each, as of a usual chunk
constexpr std::uint32_t kSerial = 1;            // the same music gives the same bytes
constexpr const char* kTitle = "Auralis";

void write_to_standard_output(const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = ::write(STDOUT_FILENO, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno != EINTR)
      throw FileError("the standard output cannot be written: " + std::string(std::strerror(errno)));
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
}

}  // namespace

OpusFile::OpusFile(const std::filesystem::path& path, const SoundFormat& format, bool replace)
    : sample_rate_(format.sample_rate),
      block_samples_(kStereo * format.sample_rate / kBlocksPerSecond),
      encoder_(format.sample_rate),
      ogg_(kTitle, format.sample_rate, encoder_.delay_frames(), kSerial) {
  if (path != kStandardOutput) file_.emplace(path, replace);
}

void OpusFile::write(const std::int16_t* samples, std::int64_t frames) {
  const std::int16_t* const end = samples + kStereo * static_cast<std::size_t>(frames);
  while (samples != end) {
    const auto room = static_cast<std::ptrdiff_t>(block_samples_ - pending_.size());
    const std::int16_t* const until = samples + std::min(room, end - samples);
    pending_.insert(pending_.end(), samples, until);
    samples = until;
    if (pending_.size() == block_samples_) encode_block();
  }
}

void OpusFile::write(const float* /*samples*/, std::int64_t /*frames*/) { assert(false); }

void OpusFile::encode_block() {
  AudioChunk chunk;
  chunk.seq = blocks_++;
  chunk.sample_rate = sample_rate_;
  chunk.channels = kStereo;
  chunk.frames = static_cast<std::uint32_t>(pending_.size() / kStereo);
  chunk.samples = Samples::copy_of(pending_);
  const OggOpus::Pages pages = ogg_.add(encoder_.encode(chunk));
  put(blocks_ == 1 ? ogg_.headers() + pages.page : pages.page);
  pending_.clear();
}

// The encoder lags: what it still holds comes out with the silence that follows.
void OpusFile::finish() {
  const std::size_t step = kStereo * sample_rate_ / 100;  // which a chunk must be a multiple of
  const std::size_t lag =
      kStereo * (std::size_t{encoder_.delay_frames()} + kOpusPacketFrames) * sample_rate_ / kOpusHz;
  pending_.resize((pending_.size() + lag + step - 1) / step * step);
  encode_block();
  put(ogg_.last_page());
  if (file_) file_->sync();
}

void OpusFile::publish() {
  if (file_) file_->publish();
}

void OpusFile::put(const std::string& bytes) {
  if (!file_) return write_to_standard_output(bytes);
  file_->write(bytes.data(), bytes.size());
  file_->check();
}

}  // namespace auralis
