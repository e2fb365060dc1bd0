// SPDX-License-Identifier: MIT
// Detects that a file was replaced or written to, also behind a symbolic link that now points elsewhere, as
// renewed certificates do. One thread. Polled, about once a second: one system call.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <tuple>
#include <utility>

namespace auralis {

class WatchedFile {
 public:
  // The file as it is now counts as known.
  explicit WatchedFile(std::filesystem::path path) : path_(std::move(path)), known_(identity()) {}

  // Whether the file has changed since the last call, or since construction. A missing file has not changed:
  // it may be in the middle of being replaced.
  bool changed() {
    const auto now = identity();
    if (!now || now == known_) return false;
    known_ = now;
    return true;
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  // Device, inode, permissions, size and time of the last write.
  using Identity = std::tuple<dev_t, ino_t, mode_t, uid_t, gid_t, off_t, time_t, long>;

  // Of the file that the path resolves to.
  std::optional<Identity> identity() const {
    struct stat status {};
    if (::stat(path_.c_str(), &status) != 0) return std::nullopt;
    return Identity(status.st_dev, status.st_ino, status.st_mode, status.st_uid, status.st_gid,
                    status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }

  std::filesystem::path path_;
  std::optional<Identity> known_;
};

}  // namespace auralis
