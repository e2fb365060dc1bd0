// SPDX-License-Identifier: MIT
// Support for tests of every folder: a clock that they move, a folder of their own, the text of a file.
#pragma once

#include <stdlib.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "common/base/clock.h"

namespace auralis::test {

// Advances only when the test sets `now`, and by `each_look_ns` at each reading.
class ManualClock final : public Clock {
 public:
  std::int64_t now_ns() const override { return now.fetch_add(each_look_ns) + each_look_ns; }
  std::int64_t unix_ns() const override { return now + 1'700'000'000 * kNsPerSecond; }

  // Servers under test read them in threads of their own.
  mutable std::atomic<std::int64_t> now{1'000 * kNsPerSecond};
  std::atomic<std::int64_t> each_look_ns{0};
};

inline void require(bool succeeded, const char* what) {
  if (!succeeded) throw std::system_error(errno, std::generic_category(), what);
}

// A fresh folder on tmpfs, where segments belong; removed with all that is in it.
class TempDir {
 public:
  TempDir() {
    std::string name = "/dev/shm/auralis-test-XXXXXX";
    require(mkdtemp(name.data()) != nullptr, "mkdtemp");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

}  // namespace auralis::test
