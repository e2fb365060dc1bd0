// SPDX-License-Identifier: MIT
// A file that gets its name when it is whole, and never before: until then it has a temporary one in the same
// folder, and is removed with the object. One thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace auralis {

// In one line: which file, and what is wrong with it.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class NewFile {
 public:
  // Refuses a name that is taken, unless `replace`, and what is no plain file in any case. Throws FileError.
  NewFile(std::filesystem::path path, bool replace);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // As the calls of the same name, for a library that takes them as its own; none throws. What write() could
  // not do is remembered: less than `size` is not always noticed by such a library.
  std::size_t read(void* data, std::size_t size);
  std::size_t write(const void* data, std::size_t size);
  off_t seek(off_t offset, int whence);
  off_t size() const;

  // Throws the FileError of the first write() that failed, if one did.
  void check() const;

  // Everything has reached the disk. Throws FileError.
  void sync();

  // Gives it its name; without `replace` never in place of a file that came there in the meantime. Throws
  // FileError.
  void publish();

  const std::filesystem::path& path() const { return path_; }

  // `what` about this file.
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail(const char* what, int error) const;

 private:
  bool rename_to_path() const;

  std::filesystem::path path_;
  std::filesystem::path folder_;
  std::filesystem::path temporary_;  // empty once it has its name
  bool replace_;
  int file_ = -1;
  int write_error_ = 0;
};

}  // namespace auralis
