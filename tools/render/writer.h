// SPDX-License-Identifier: MIT
// Writes a sound file on a thread of its own: to encode takes longer than to render, and stems are encoded
// side by side. For one thread, which waits where the file falls behind.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <thread>

#include "common/base/mutex.h"
#include "tools/render/sound.h"

namespace auralis {

class SoundWriter {
 public:
  // As SoundFile. What fails on the thread is thrown by the next call of write(), or by finish().
  SoundWriter(const std::filesystem::path& path, const SoundFormat& format, bool replace);
  // What was not finished is given up, and its file removed.
  ~SoundWriter();
  SoundWriter(const SoundWriter&) = delete;
  SoundWriter& operator=(const SoundWriter&) = delete;

  // Copied.
  void write(const std::int16_t* samples, std::int64_t frames);
  void write(const float* samples, std::int64_t frames);

  // After the last write(): begins to finish the file. Returns at once.
  void end();

  // After end(): waits until it is whole and on the disk.
  void finish();

  // After finish().
  void publish() { file_.publish(); }

 private:
  using Task = std::function<void(SoundFile&)>;

  void push(Task task);
  void work();

  SoundFile file_;  // the thread's until that has ended
  Mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_ AURALIS_GUARDED_BY(mutex_);
  bool ended_ AURALIS_GUARDED_BY(mutex_) = false;  // no more will come
  std::exception_ptr failed_ AURALIS_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace auralis
