// SPDX-License-Identifier: MIT
// Writes a sound file on a thread of its own: encoding takes longer than rendering, and stems are encoded in
// parallel. Called by one thread, which waits if the encoder falls behind.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "common/base/mutex.h"
#include "tools/render/sound.h"

namespace auralis {

class SoundWriter {
 public:
  // As NewFile. An error of the encoder's thread is thrown by the next write(), end() or
  // finish().
  SoundWriter(const std::filesystem::path& path, const SoundFormat& format, bool replace);
  // Abandons the file if it was not finished, and removes it.
  ~SoundWriter();
  SoundWriter(const SoundWriter&) = delete;
  SoundWriter& operator=(const SoundWriter&) = delete;

  // Queues a copy of the frames; waits while the queue is full.
  void write(const std::int16_t* samples, std::int64_t frames);
  void write(const float* samples, std::int64_t frames);

  // Starts to complete the file. After the last write(); returns at once.
  void end();

  // Waits until the file is complete and on the disk. After end().
  void finish();

  // Gives the file its name. After finish().
  void publish() { file_->publish(); }

 private:
  using Task = std::function<void(SoundFile&)>;

  void push(Task task);
  void work();

  std::unique_ptr<SoundFile> file_;  // the thread's until that has ended
  Mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_ AURALIS_GUARDED_BY(mutex_);
  bool ended_ AURALIS_GUARDED_BY(mutex_) = false;  // no task follows
  std::exception_ptr failed_ AURALIS_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace auralis
