// SPDX-License-Identifier: MIT
#include "tools/render/writer.h"

#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

#include "tools/render/opus_file.h"
#include "tools/render/sndfile_file.h"

namespace auralis {
namespace {

// Chunks on the way to the encoder: enough that neither side waits for a moment's delay of the other.
constexpr std::size_t kMostTasks = 64;

template <typename Sample>
std::function<void(SoundFile&)> write_task(const Sample* samples, std::int64_t frames) {
  return [frames, copy = std::vector<Sample>(samples, samples + 2 * frames)](SoundFile& file) {
    file.write(copy.data(), frames);
  };
}

std::unique_ptr<SoundFile> create(const std::filesystem::path& path, const SoundFormat& format,
                                  bool replace) {
  if (format.type == SoundType::kOpus) return std::make_unique<OpusFile>(path, format, replace);
  return create_sndfile_file(path, format, replace);
}

}  // namespace

SoundWriter::SoundWriter(const std::filesystem::path& path, const SoundFormat& format, bool replace)
    : file_(create(path, format, replace)), thread_([this] { work(); }) {}

SoundWriter::~SoundWriter() {
  {
    const MutexLock lock(mutex_);
    tasks_.clear();
    ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SoundWriter::write(const std::int16_t* samples, std::int64_t frames) {
  push(write_task(samples, frames));
}

void SoundWriter::write(const float* samples, std::int64_t frames) { push(write_task(samples, frames)); }

void SoundWriter::end() {
  push([](SoundFile& file) { file.finish(); });
  {
    const MutexLock lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

void SoundWriter::finish() {
  thread_.join();
  const MutexLock lock(mutex_);
  assert(ended_);
  if (failed_) std::rethrow_exception(failed_);
}

void SoundWriter::push(Task task) {
  {
    MutexLock lock(mutex_);
    assert(!ended_);
    while (tasks_.size() >= kMostTasks && !failed_) lock.wait(changed_);
    if (failed_) std::rethrow_exception(failed_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void SoundWriter::work() {
  MutexLock lock(mutex_);
  for (;;) {
    while (tasks_.empty() && !ended_) lock.wait(changed_);
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    changed_.notify_all();
    std::exception_ptr failed;
    try {
      task(*file_);
    } catch (...) {
      failed = std::current_exception();
    }
    lock.lock();
    if (!failed) continue;
    failed_ = failed;
    changed_.notify_all();
    return;
  }
}

}  // namespace auralis
