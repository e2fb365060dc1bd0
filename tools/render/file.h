// SPDX-License-Identifier: MIT
// A file that gets its name only when it is complete: until publish() it has a temporary name in the same
// folder, and is removed with the object. One thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "common/base/file_descriptor.h"

namespace auralis {

// In one line: which file, and what failed.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class NewFile {
 public:
  // Refuses an existing file unless `replace`, and anything but a regular file in any case. Throws FileError.
  NewFile(std::filesystem::path path, bool replace);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // As the system calls of the same names, for a library with virtual I/O; none throws. A failed write() is
  // remembered for check(): such a library does not always notice a short count.
  std::size_t read(void* data, std::size_t size);
  std::size_t write(const void* data, std::size_t size);
  off_t seek(off_t offset, int whence);
  off_t size() const;

  // Throws the FileError of the first write() that failed, if one did.
  void check() const;

  // Flushes all of it to the disk. Throws FileError.
  void sync();

  // Renames the file to its path. Without `replace`, never over a file that was created in the meantime.
  // Throws FileError.
  void publish();

  const std::filesystem::path& path() const { return path_; }

  // Throws a FileError about this file.
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail(const char* what, int error) const;

 private:
  bool rename_to_path() const;

  std::filesystem::path path_;
  std::filesystem::path folder_;
  std::filesystem::path temporary_;  // empty once it has its name
  bool replace_;
  FileDescriptor file_;
  int write_error_ = 0;
};

}  // namespace auralis
