// SPDX-License-Identifier: MIT
#include "common/log.h"
#include "common/segment.h"
#include "common/segment_file.h"

#include <sys/file.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace auralis {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw SegmentError("segment " + path.string() + ": " + what);
}

// Both locks of a writer; false where another writer holds them.
bool lock_for_writing(const std::filesystem::path& path, int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    fail(path, "cannot be locked: " + reason(errno));
  }
  struct flock lock = whole_file(F_WRLCK);
  if (::fcntl(fd, F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return false;
    fail(path, "cannot be locked: " + reason(errno));
  }
  return true;
}

// In a folder of somebody else's, under /dev/shm say, files could be exchanged behind our back. Root may go
// anywhere.
void refuse_foreign_folder(const std::filesystem::path& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) fail(folder, "cannot be looked at: " + reason(errno));
  if (::geteuid() != 0 && status.st_uid != ::geteuid()) {
    fail(folder, "belongs to another user (" + std::to_string(status.st_uid) +
                     "); remove it, or choose another runtime directory");
  }
}

// A word of a header that may not be there at all.
std::uint64_t header_word(int fd, std::size_t offset) {
  std::uint64_t word = 0;
  return ::pread(fd, &word, sizeof word, static_cast<off_t>(offset)) == sizeof word ? word : 0;
}

}  // namespace

struct SegmentWriter::Impl {
  std::filesystem::path path;
  std::filesystem::path fresh_path;  // name of a fresh file until it is published, else empty
  FileDescriptor guard;              // the file under `path`, held while a fresh one is prepared
  FileDescriptor file;
  ipc::mapped_region region;
  bool taken_over = false;

  SegmentHeader* header() const { return static_cast<SegmentHeader*>(region.get_address()); }

  // Opens and locks whatever bears the name, making an empty file where there is none.
  FileDescriptor open_locked() const {
    for (;;) {
      FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
      if (!fd.open())
        fail(path, "cannot be opened for writing: " + reason(errno) + "; check owner and mode of the folder");
      if (!lock_for_writing(path, fd.get())) {
        const std::uint64_t pid = header_word(fd.get(), offsetof(SegmentHeader, writer_pid));
        fail(path, "is held by a running writer" +
                       (pid != 0 ? " (pid " + std::to_string(pid) + ")" : std::string()) +
                       "; stop it first, or choose another runtime directory");
      }
      // Between opening and locking another writer may have put a fresh file in this one's place.
      const auto held = identity_of(fd.get());
      const auto named = identity_at(path);
      if (held && named && held->same_file(*named)) return fd;
    }
  }

  bool matches(int fd, const SegmentFormat& format, std::uint64_t bytes) const {
    const auto file_identity = identity_of(fd);
    return file_identity && file_identity->size == bytes &&
           header_word(fd, offsetof(SegmentHeader, magic)) == kSegmentMagic &&
           header_word(fd, offsetof(SegmentHeader, kind_and_version)) ==
               kind_word(format.kind, format.version) &&
           header_word(fd, offsetof(SegmentHeader, size_bytes)) == bytes &&
           header_word(fd, offsetof(SegmentHeader, fingerprint)) == format.fingerprint;
  }

  void prepare_fresh(const SegmentFormat& format, std::uint64_t bytes) {
    fresh_path = path;
    fresh_path += ".new";
    // What a writer that died while preparing left behind; the guard's lock makes it ours to remove.
    ::unlink(fresh_path.c_str());
    file = FileDescriptor(::open(fresh_path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
    if (!file.open()) fail(fresh_path, "cannot be made: " + reason(errno));
    lock_for_writing(fresh_path, file.get());
    if (const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes)); error != 0) {
      fail(path, "no space for " + std::to_string(bytes) + " bytes: " + reason(error) +
                     "; enlarge the tmpfs or choose another runtime directory");
    }
    region = map_file(file.get(), ipc::read_write, bytes);
    auto* words = static_cast<SharedWord*>(region.get_address());
    for (std::uint64_t index = 0; index < bytes / sizeof(SharedWord); ++index) {
      new (words + index) SharedWord(0);
    }
    header()->kind_and_version.store(kind_word(format.kind, format.version), std::memory_order_relaxed);
    header()->size_bytes.store(bytes, std::memory_order_relaxed);
    header()->fingerprint.store(format.fingerprint, std::memory_order_relaxed);
    if (header_word(guard.get(), offsetof(SegmentHeader, magic)) == kSegmentMagic) {
      const std::uint64_t before = header_word(guard.get(), offsetof(SegmentHeader, generation));
      header()->generation.store(before, std::memory_order_relaxed);
    }
  }

  void remove_unpublished() {
    if (fresh_path.empty()) return;
    ::unlink(fresh_path.c_str());
    // The empty file that open_locked() made; under its lock it is nobody else's.
    const auto guarded = identity_of(guard.get());
    if (guarded && guarded->size == 0) ::unlink(path.c_str());
  }
};

SegmentWriter::SegmentWriter(std::filesystem::path path, const SegmentFormat& format)
    : impl_(std::make_unique<Impl>()) {
  impl_->path = std::move(path);
  const std::uint64_t bytes = (sizeof(SegmentHeader) + format.payload_bytes + 63) / 64 * 64;
  std::error_code error;
  const auto folder = impl_->path.parent_path();
  if (std::filesystem::create_directories(folder, error)) {
    std::filesystem::permissions(folder, std::filesystem::perms(0750), error);
  }
  if (error) fail(folder, "the folder cannot be made: " + error.message());
  refuse_foreign_folder(folder);
  FileDescriptor fd = impl_->open_locked();
  try {
    if (impl_->matches(fd.get(), format, bytes)) {
      impl_->region = map_file(fd.get(), ipc::read_write, bytes);
      impl_->file = std::move(fd);
      impl_->taken_over = true;
    } else {
      impl_->guard = std::move(fd);
      const auto former = identity_of(impl_->guard.get());
      impl_->prepare_fresh(format, bytes);
      if (former && former->size > 0) {
        log_warning("what was there is of another shape or no segment at all, and is replaced by a new one",
                    {{"segment", impl_->path.string()}});
      }
    }
  } catch (const ipc::interprocess_exception& exception) {
    impl_->remove_unpublished();
    fail(impl_->path, std::string("cannot be mapped: ") + exception.what());
  } catch (const SegmentError&) {
    impl_->remove_unpublished();
    throw;
  }
}

SegmentWriter::~SegmentWriter() { impl_->remove_unpublished(); }

bool SegmentWriter::taken_over() const { return impl_->taken_over; }

std::byte* SegmentWriter::payload() const {
  return static_cast<std::byte*>(impl_->region.get_address()) + sizeof(SegmentHeader);
}

void SegmentWriter::publish(std::int64_t now_ns) {
  SegmentHeader& header = *impl_->header();
  header.writer_pid.store(static_cast<std::uint64_t>(::getpid()), std::memory_order_relaxed);
  header.heartbeat_ns.store(static_cast<std::uint64_t>(now_ns), std::memory_order_relaxed);
  header.generation.store(header.generation.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  // Pairs with the acquire load in SegmentReader: who sees the magic sees a whole header and payload.
  header.magic.store(kSegmentMagic, std::memory_order_release);
  if (impl_->fresh_path.empty()) return;
  if (::rename(impl_->fresh_path.c_str(), impl_->path.c_str()) != 0) {
    fail(impl_->path, "cannot be put in place: " + reason(errno));
  }
  impl_->fresh_path.clear();
  impl_->guard.reset();
}

void SegmentWriter::beat(std::int64_t now_ns) {
  impl_->header()->heartbeat_ns.store(static_cast<std::uint64_t>(now_ns), std::memory_order_relaxed);
}

}  // namespace auralis
