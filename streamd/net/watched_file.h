// SPDX-License-Identifier: MIT
// Tells whether a file is another one by now, or was written to: a certificate that was renewed, behind a
// link that was turned to the new one as well. One thread. Polled: about once a second is often enough for
// what people and renewals change, and it is one system call.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <tuple>
#include <utility>

namespace auralis {

class WatchedFile {
 public:
  // What is there now is known.
  explicit WatchedFile(std::filesystem::path path) : path_(std::move(path)), known_(identity()) {}

  // Whether it has changed since this was last asked, or since the beginning. A file that is not there has
  // not changed: somebody may be about to put another one in its place.
  bool changed() {
    const auto now = identity();
    if (!now || now == known_) return false;
    known_ = now;
    return true;
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  // Device, inode, who may read it, size and the time of the last write.
  using Identity = std::tuple<dev_t, ino_t, mode_t, uid_t, gid_t, off_t, time_t, long>;

  // Of what the path leads to through all links.
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
