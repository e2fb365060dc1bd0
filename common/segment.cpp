// SPDX-License-Identifier: MIT
#include "common/segment.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

namespace auralis {
namespace {

namespace ipc = boost::interprocess;

// "AURALIS1" as the bytes lie in memory on a little-endian machine.
constexpr std::uint64_t kMagic = 0x3153494C41525541ULL;

std::uint64_t pack(SegmentKind kind, std::uint32_t version) {
  return static_cast<std::uint64_t>(kind) << 32U | version;
}

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw SegmentError("segment " + path.string() + ": " + what);
}

// A file descriptor that is closed with its owner.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t size = 0;
  bool regular = false;  // a file, not a folder, pipe or device

  bool same_file(const FileIdentity& other) const { return device == other.device && inode == other.inode; }
};

FileIdentity identity(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), S_ISREG(status.st_mode)};
}

std::optional<FileIdentity> identity_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  return identity(status);
}

std::optional<FileIdentity> identity_at(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return identity(status);
}

// Maps the very file that `fd` is, whatever its name means by now.
ipc::mapped_region map(int fd, ipc::mode_t mode, std::uint64_t bytes) {
  const std::string self = "/proc/self/fd/" + std::to_string(fd);
  return {ipc::file_mapping(self.c_str(), mode), mode, 0, static_cast<std::size_t>(bytes)};
}

struct flock whole_file(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
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
           header_word(fd, offsetof(SegmentHeader, magic)) == kMagic &&
           header_word(fd, offsetof(SegmentHeader, kind_and_version)) == pack(format.kind, format.version) &&
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
    region = map(file.get(), ipc::read_write, bytes);
    auto* words = static_cast<SharedWord*>(region.get_address());
    for (std::uint64_t index = 0; index < bytes / sizeof(SharedWord); ++index) {
      new (words + index) SharedWord(0);
    }
    header()->kind_and_version.store(pack(format.kind, format.version), std::memory_order_relaxed);
    header()->size_bytes.store(bytes, std::memory_order_relaxed);
    header()->fingerprint.store(format.fingerprint, std::memory_order_relaxed);
    if (header_word(guard.get(), offsetof(SegmentHeader, magic)) == kMagic) {
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
      impl_->region = map(fd.get(), ipc::read_write, bytes);
      impl_->file = std::move(fd);
      impl_->taken_over = true;
    } else {
      impl_->guard = std::move(fd);
      impl_->prepare_fresh(format, bytes);
    }
  } catch (const ipc::interprocess_exception& exception) {
    impl_->remove_unpublished();
    fail(impl_->path, std::string("cannot be mapped: ") + exception.what());
  } catch (const SegmentError&) {
    impl_->remove_unpublished();
    throw;
  }
}

SegmentWriter::~SegmentWriter() {
  if (impl_->fresh_path.empty()) {
    impl_->header()->running.store(0, std::memory_order_release);
  } else {
    impl_->remove_unpublished();
  }
}

bool SegmentWriter::taken_over() const { return impl_->taken_over; }

std::byte* SegmentWriter::payload() const {
  return static_cast<std::byte*>(impl_->region.get_address()) + sizeof(SegmentHeader);
}

void SegmentWriter::publish(std::int64_t now_ns) {
  SegmentHeader& header = *impl_->header();
  header.writer_pid.store(static_cast<std::uint64_t>(::getpid()), std::memory_order_relaxed);
  header.heartbeat_ns.store(static_cast<std::uint64_t>(now_ns), std::memory_order_relaxed);
  header.running.store(1, std::memory_order_relaxed);
  header.generation.store(header.generation.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  // Pairs with the acquire load in SegmentReader: who sees the magic sees a whole header and payload.
  header.magic.store(kMagic, std::memory_order_release);
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

struct SegmentReader::Impl {
  std::filesystem::path path;
  SegmentKind kind;
  std::uint32_t version;
  SegmentState state = SegmentState::kMissing;
  FileDescriptor file;
  FileIdentity attached;
  std::uint64_t attached_generation = 0;
  ipc::mapped_region region;

  Impl(std::filesystem::path p, SegmentKind k, std::uint32_t v) : path(std::move(p)), kind(k), version(v) {}

  const SegmentHeader* header() const { return static_cast<const SegmentHeader*>(region.get_address()); }

  void detach(SegmentState why) {
    region = ipc::mapped_region();
    file.reset();
    state = why;
  }

  // The state that a freshly opened file has; maps it if it is ready.
  SegmentState attach() {
    // O_NONBLOCK does nothing to a file, and keeps a pipe that bears its name from holding up the reader.
    file = FileDescriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!file.open())
      return errno == EACCES || errno == EPERM ? SegmentState::kDenied : SegmentState::kMissing;
    const auto file_identity = identity_of(file.get());
    if (!file_identity) return SegmentState::kMissing;
    if (!file_identity->regular) return SegmentState::kForeign;
    if (file_identity->size == 0) return SegmentState::kNotReady;
    if (file_identity->size < sizeof(SegmentHeader)) return SegmentState::kForeign;
    try {
      region = map(file.get(), ipc::read_only, file_identity->size);
    } catch (const ipc::interprocess_exception&) {
      return SegmentState::kDenied;
    }
    attached = *file_identity;
    // Pairs with the release store in SegmentWriter::publish.
    const std::uint64_t magic = header()->magic.load(std::memory_order_acquire);
    if (magic != kMagic) return magic == 0 ? SegmentState::kNotReady : SegmentState::kForeign;
    const std::uint64_t kind_and_version = header()->kind_and_version.load(std::memory_order_relaxed);
    if (kind_and_version >> 32U != static_cast<std::uint64_t>(kind)) return SegmentState::kForeign;
    if (kind_and_version != pack(kind, version)) return SegmentState::kWrongVersion;
    if (header()->size_bytes.load(std::memory_order_relaxed) != attached.size)
      return SegmentState::kTruncated;
    attached_generation = header()->generation.load(std::memory_order_acquire);
    return SegmentState::kReady;
  }
};

SegmentReader::SegmentReader(std::filesystem::path path, SegmentKind kind, std::uint32_t version)
    : impl_(std::make_unique<Impl>(std::move(path), kind, version)) {}
SegmentReader::~SegmentReader() = default;
SegmentReader::SegmentReader(SegmentReader&&) noexcept = default;
SegmentReader& SegmentReader::operator=(SegmentReader&&) noexcept = default;

bool SegmentReader::refresh() {
  Impl& self = *impl_;
  const SegmentState before = self.state;
  const auto named = identity_at(self.path);
  if (before == SegmentState::kReady) {
    const bool same = named && named->same_file(self.attached) && named->size == self.attached.size &&
                      generation() == self.attached_generation;
    if (same) return false;
  }
  self.detach(SegmentState::kMissing);
  const SegmentState now = self.attach();
  if (now == SegmentState::kReady) {
    self.state = now;
    return true;
  }
  self.detach(now);
  return now != before;
}

SegmentState SegmentReader::state() const { return impl_->state; }

std::string SegmentReader::describe() const {
  std::string where = "segment " + impl_->path.string();
  switch (impl_->state) {
    case SegmentState::kReady:
      return where + " is attached";
    case SegmentState::kMissing:
      return where + " is not there; its daemon has not been started in this runtime directory";
    case SegmentState::kDenied:
      return where + " may not be read; run as a member of the group that owns it";
    case SegmentState::kNotReady:
      return where + " is being prepared by its daemon";
    case SegmentState::kForeign:
      return where + " is not a segment of the expected kind; remove the file and restart its daemon";
    case SegmentState::kWrongVersion:
      return where + " has another layout version; run daemons of one release";
    case SegmentState::kTruncated:
      return where + " has another size than its header says; remove the file and restart its daemon";
  }
  return where;
}

const std::byte* SegmentReader::payload() const {
  if (impl_->state != SegmentState::kReady) return nullptr;
  return static_cast<const std::byte*>(impl_->region.get_address()) + sizeof(SegmentHeader);
}

std::size_t SegmentReader::payload_bytes() const {
  return impl_->state == SegmentState::kReady ? impl_->region.get_size() - sizeof(SegmentHeader) : 0;
}

bool SegmentReader::writer_alive() const {
  if (impl_->state != SegmentState::kReady) return false;
  struct flock lock = whole_file(F_RDLCK);
  if (::fcntl(impl_->file.get(), F_OFD_GETLK, &lock) != 0) return false;
  return lock.l_type != F_UNLCK;
}

bool SegmentReader::writer_healthy(std::int64_t now_ns) const {
  if (!writer_alive()) return false;
  const auto beat = static_cast<std::int64_t>(impl_->header()->heartbeat_ns.load(std::memory_order_relaxed));
  return now_ns - beat < kHungAfterNs;
}

std::uint64_t SegmentReader::generation() const {
  return impl_->state == SegmentState::kReady ? impl_->header()->generation.load(std::memory_order_acquire)
                                              : 0;
}

std::uint64_t SegmentReader::fingerprint() const {
  return impl_->state == SegmentState::kReady ? impl_->header()->fingerprint.load(std::memory_order_relaxed)
                                              : 0;
}

std::uint64_t SegmentReader::writer_pid() const {
  return impl_->state == SegmentState::kReady ? impl_->header()->writer_pid.load(std::memory_order_relaxed)
                                              : 0;
}

}  // namespace auralis
