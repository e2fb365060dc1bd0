// SPDX-License-Identifier: MIT
#include "tools/render/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "tools/arguments.h"

namespace auralis {

NewFile::NewFile(std::filesystem::path path, bool replace)
    : path_(std::move(path)),
      folder_(path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".")),
      replace_(replace) {
  struct stat there {};
  if (::lstat(path_.c_str(), &there) == 0) {
    if (!replace_) fail("already exists; --force replaces it");
    // Follows links: replacing a link to a device is as wrong as replacing the device.
    if (::stat(path_.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) fail("is not a regular file");
  }
  // Independent of the file's name, which may be as long as names can be.
  const std::string base = ".auralis-render-" + std::to_string(::getpid()) + "-";
  for (unsigned number = 0; !file_.is_open(); ++number) {
    temporary_ = folder_ / (base + std::to_string(number));
    file_.reset(::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file_.is_open() && errno != EEXIST) fail("cannot be created", errno);
  }
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void NewFile::fail(const std::string& what) const { throw FileError(shown(path_.string()) + ": " + what); }

void NewFile::fail(const char* what, int error) const {
  fail(std::string(what) + ": " + std::strerror(error));
}

std::size_t NewFile::read(void* data, std::size_t size) {
  ssize_t got = -1;
  do got = ::read(file_.get(), data, size);
  while (got < 0 && errno == EINTR);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

std::size_t NewFile::write(const void* data, std::size_t size) {
  std::size_t done = 0;
  // Writes nothing after a failed write, which would leave a hole.
  while (done < size && write_error_ == 0) {
    const ssize_t wrote = ::write(file_.get(), static_cast<const char*>(data) + done, size - done);
    if (wrote > 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (wrote == 0 || errno != EINTR) {
      write_error_ = wrote == 0 ? ENOSPC : errno;
    }
  }
  return done;
}

off_t NewFile::seek(off_t offset, int whence) { return ::lseek(file_.get(), offset, whence); }

off_t NewFile::size() const {
  struct stat now {};
  return ::fstat(file_.get(), &now) == 0 ? now.st_size : -1;
}

void NewFile::check() const {
  if (write_error_ != 0) fail("cannot be written", write_error_);
}

void NewFile::sync() {
  check();
  if (::fsync(file_.get()) != 0) fail("cannot be written", errno);
}

bool NewFile::rename_to_path() const {
  if (replace_) return ::rename(temporary_.c_str(), path_.c_str()) == 0;
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0) return true;
  // Some file systems, network ones above all, do not support that flag. A link replaces nothing either.
  if (errno != EINVAL && errno != ENOSYS) return false;
  return ::link(temporary_.c_str(), path_.c_str()) == 0 && ::unlink(temporary_.c_str()) == 0;
}

void NewFile::publish() {
  if (!rename_to_path()) {
    if (errno == EEXIST) fail("was created in the meantime and is kept; --force replaces it");
    fail("cannot be renamed to its name", errno);
  }
  temporary_.clear();
  // So that the name survives a crash of the machine. An error is ignored: the file is there anyway.
  const FileDescriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.is_open()) ::fsync(folder.get());
}

}  // namespace auralis
