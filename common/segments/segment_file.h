// SPDX-License-Identifier: MIT
// Private to segment_writer.cpp and segment_reader.cpp: the first words of a header, and a segment's file
// with its identity, mapping and lock.
#pragma once

#include "common/base/file_descriptor.h"
#include "common/segments/bus_error_guard.h"
#include "common/segments/segment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace auralis {

namespace ipc = boost::interprocess;

// The bytes "AURALIS1" in memory, on a little-endian machine.
inline constexpr std::uint64_t kSegmentMagic = 0x3153494C41525541ULL;

inline std::uint64_t kind_word(SegmentKind kind, std::uint32_t version) {
  return static_cast<std::uint64_t>(kind) << 32U | version;
}

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t size = 0;
  bool regular = false;  // a regular file, not a folder, pipe or device

  bool same_file(const FileIdentity& other) const { return device == other.device && inode == other.inode; }
};

inline FileIdentity identity(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), S_ISREG(status.st_mode)};
}

inline std::optional<FileIdentity> identity_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  return identity(status);
}

inline std::optional<FileIdentity> identity_at(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return identity(status);
}

// Maps the file of `fd` itself, even if its name refers to another one by now.
inline ipc::mapped_region map_file(int fd, ipc::mode_t mode, std::uint64_t bytes) {
  const std::string self = "/proc/self/fd/" + std::to_string(fd);
  return {ipc::file_mapping(self.c_str(), mode), mode, 0, static_cast<std::size_t>(bytes)};
}

// A mapping with its guard against SIGBUS if the file is truncated.
struct GuardedRegion {
  ipc::mapped_region region;
  std::unique_ptr<BusErrorGuard> guard;

  GuardedRegion() = default;
  GuardedRegion(int fd, ipc::mode_t mode, std::uint64_t bytes) : region(map_file(fd, mode, bytes)) {
    guard = std::make_unique<BusErrorGuard>(region.get_address(), region.get_size());
  }
  SegmentHeader* header() const { return static_cast<SegmentHeader*>(region.get_address()); }
  bool hit() const { return guard != nullptr && guard->hit(); }
};

inline struct flock whole_file(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace auralis
