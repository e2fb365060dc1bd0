// SPDX-License-Identifier: MIT
#include "common/base/log.h"
#include "common/segments/segment.h"
#include "common/segments/segment_file.h"
#include "common/segments/trusted_folder.h"

#include <sys/file.h>
#include <sys/mman.h>

#include <cassert>
#include <cerrno>
#include <new>
#include <system_error>

namespace auralis {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw SegmentError("segment " + path.string() + ": " + what);
}

// Takes both locks of a writer; false if another writer holds them.
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

constexpr mode_t kSegmentMode = 0640;
constexpr auto kFolderMode = std::filesystem::perms::owner_all | std::filesystem::perms::group_read |
                             std::filesystem::perms::group_exec;

// Creates each missing folder, with the contract's mode whatever the umask.
void make_folders(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty() || std::filesystem::exists(folder, error)) return;
  make_folders(folder.parent_path());
  if (std::filesystem::create_directory(folder, error)) {
    std::filesystem::permissions(folder, kFolderMode, error);
  }
  if (error) fail(folder, "the folder cannot be created: " + error.message());
}

void prepare_folder(const std::filesystem::path& folder) {
  make_folders(folder);
  const std::string problem = folder_problem(folder, FolderUse::kWrite);
  if (!problem.empty()) fail(folder, problem);
}

// Reads a word of a header; 0 if the file is too short.
std::uint64_t header_word(int fd, std::size_t offset) {
  std::uint64_t word = 0;
  return ::pread(fd, &word, sizeof word, static_cast<off_t>(offset)) == sizeof word ? word : 0;
}

}  // namespace

struct SegmentWriter::Impl {
  std::filesystem::path path;
  SegmentFormat format;
  std::uint64_t bytes;               // of the file
  std::filesystem::path fresh_path;  // name of a fresh file until it is published, else empty
  FileDescriptor guard;              // the file under `path`, held while a fresh one is prepared
  FileDescriptor former;             // the file that is replaced: readers stay with it while it is locked
  FileDescriptor file;
  GuardedRegion mapped;
  std::uint64_t generation = 0;  // before publish(): of the former writer
  bool taken_over = false;
  bool lost = false;              // whether the payload was lost because the file was truncated
  std::uint64_t looks = 0;        // number of calls of in_place()
  std::uint64_t next_report = 0;  // first look from which on the next overwrite is logged

  Impl(std::filesystem::path p, const SegmentFormat& f)
      : path(std::move(p)), format(f), bytes((sizeof(SegmentHeader) + f.payload_bytes + 63) / 64 * 64) {}

  SegmentHeader* header() const { return mapped.header(); }

  // Opens and locks the file under the path, creating an empty one if there is none.
  FileDescriptor open_locked() const {
    for (;;) {
      FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kSegmentMode));
      if (!fd.is_open())
        fail(path, "cannot be opened for writing: " + reason(errno) + "; check owner and mode of the folder");
      if (!lock_for_writing(path, fd.get())) {
        const std::uint64_t pid = header_word(fd.get(), offsetof(SegmentHeader, writer_pid));
        fail(path, "is held by a running writer" +
                       (pid != 0 ? " (pid " + std::to_string(pid) + ")" : std::string()) +
                       "; stop it first, or choose another runtime directory");
      }
      // Another writer may have replaced this file between opening and locking.
      const auto held = identity_of(fd.get());
      const auto named = identity_at(path);
      if (held && named && held->same_file(*named)) return fd;
    }
  }

  // Whether it is a former writer's file, without another hard link.
  bool matches(int fd) const {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
           (status.st_uid == ::geteuid() || ::geteuid() == 0) &&
           static_cast<std::uint64_t>(status.st_size) == bytes &&
           header_word(fd, offsetof(SegmentHeader, magic)) == kSegmentMagic &&
           header_word(fd, offsetof(SegmentHeader, kind_and_version)) ==
               kind_word(format.kind, format.version) &&
           header_word(fd, offsetof(SegmentHeader, size_bytes)) == bytes &&
           header_word(fd, offsetof(SegmentHeader, fingerprint)) == format.fingerprint;
  }

  void take_over(FileDescriptor fd) {
    if (::fchmod(fd.get(), kSegmentMode) != 0) fail(path, "its mode cannot be set: " + reason(errno));
    mapped = GuardedRegion(fd.get(), ipc::read_write, bytes);
    file = std::move(fd);
    generation = header()->generation.load(std::memory_order_relaxed);
    taken_over = true;
  }

  struct Fresh {
    FileDescriptor file;
    GuardedRegion mapped;
  };

  // Creates an unpublished file of zeros with its header, beside the one under the path, which is locked by
  // the guard.
  Fresh prepare_fresh() {
    fresh_path = path;
    fresh_path += ".new";
    // Remove the file of a writer that died while preparing it.
    ::unlink(fresh_path.c_str());
    Fresh fresh;
    fresh.file =
        FileDescriptor(::open(fresh_path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kSegmentMode));
    if (!fresh.file.is_open()) fail(fresh_path, "cannot be created: " + reason(errno));
    if (::fchmod(fresh.file.get(), kSegmentMode) != 0)
      fail(fresh_path, "its mode cannot be set: " + reason(errno));
    lock_for_writing(fresh_path, fresh.file.get());
    if (const int error = ::posix_fallocate(fresh.file.get(), 0, static_cast<off_t>(bytes)); error != 0) {
      fail(path, "no space for " + std::to_string(bytes) + " bytes: " + reason(error) +
                     "; enlarge the tmpfs or choose another runtime directory");
    }
    fresh.mapped = GuardedRegion(fresh.file.get(), ipc::read_write, bytes);
    auto* words = static_cast<SharedWord*>(fresh.mapped.region.get_address());
    for (std::uint64_t index = 0; index < bytes / sizeof(SharedWord); ++index) {
      new (words + index) SharedWord(0);
    }
    store_constants(*fresh.mapped.header());
    return fresh;
  }

  void store_constants(SegmentHeader& to) const {
    to.kind_and_version.store(kind_word(format.kind, format.version), std::memory_order_relaxed);
    to.size_bytes.store(bytes, std::memory_order_relaxed);
    to.fingerprint.store(format.fingerprint, std::memory_order_relaxed);
    to.generation.store(generation, std::memory_order_relaxed);
    to.writer_pid.store(static_cast<std::uint64_t>(::getpid()), std::memory_order_relaxed);
  }

  void begin_fresh() {
    if (header_word(guard.get(), offsetof(SegmentHeader, magic)) == kSegmentMagic)
      generation = header_word(guard.get(), offsetof(SegmentHeader, generation));
    Fresh fresh = prepare_fresh();
    file = std::move(fresh.file);
    mapped = std::move(fresh.mapped);
  }

  // Readers check the constants; if they differ from this writer's, no word of the header can be trusted.
  bool header_changed() const {
    const SegmentHeader& now = *header();
    return now.magic.load(std::memory_order_relaxed) != kSegmentMagic ||
           now.kind_and_version.load(std::memory_order_relaxed) != kind_word(format.kind, format.version) ||
           now.size_bytes.load(std::memory_order_relaxed) != bytes ||
           now.fingerprint.load(std::memory_order_relaxed) != format.fingerprint ||
           now.generation.load(std::memory_order_relaxed) != generation;
  }

  // Restores the mode of the file and, if this user owns it, of its folder, after another process changed
  // them.
  void keep_modes() const {
    struct stat status {};
    if (::fstat(file.get(), &status) == 0 && (status.st_mode & 07777U) != kSegmentMode &&
        ::fchmod(file.get(), kSegmentMode) == 0)
      log_warning("segment mode was changed; restored", {{"segment", path.string()}});
    const std::filesystem::path folder = path.parent_path();
    if (::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
        (status.st_mode & S_IWOTH) != 0 && ::chmod(folder.c_str(), status.st_mode & 07775U) == 0)
      log_warning("segment folder was world-writable; mode restored", {{"folder", folder.string()}});
  }

  void remove_unpublished() {
    if (fresh_path.empty()) return;
    ::unlink(fresh_path.c_str());
    fresh_path.clear();
    if (!guard.is_open()) return;
    // Remove the empty file that open_locked() created; its lock makes it ours.
    const auto guarded = identity_of(guard.get());
    if (guarded && guarded->size == 0) ::unlink(path.c_str());
    guard.reset();
  }
};

SegmentWriter::SegmentWriter(std::filesystem::path path, const SegmentFormat& format)
    : impl_(std::make_unique<Impl>(std::move(path), format)) {
  prepare_folder(impl_->path.parent_path());
  FileDescriptor fd = impl_->open_locked();
  try {
    if (impl_->matches(fd.get())) {
      impl_->take_over(std::move(fd));
      return;
    }
    const auto former = identity_of(fd.get());
    impl_->guard = std::move(fd);
    impl_->begin_fresh();
    if (former && former->size > 0) {
      log_warning("former segment has a different layout or is not a segment; replaced",
                  {{"segment", impl_->path.string()}});
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
  return static_cast<std::byte*>(impl_->mapped.region.get_address()) + sizeof(SegmentHeader);
}

void SegmentWriter::publish(std::int64_t now_ns) {
  SegmentHeader& header = *impl_->header();
  header.writer_pid.store(static_cast<std::uint64_t>(::getpid()), std::memory_order_relaxed);
  header.heartbeat_ns.store(static_cast<std::uint64_t>(now_ns), std::memory_order_relaxed);
  header.generation.store(++impl_->generation, std::memory_order_release);
  // Pairs with the acquire load in SegmentReader: a reader that sees the magic sees the complete header and
  // payload.
  header.magic.store(kSegmentMagic, std::memory_order_release);
  if (impl_->fresh_path.empty()) return;
  if (::rename(impl_->fresh_path.c_str(), impl_->path.c_str()) != 0) {
    fail(impl_->path, "cannot be put in place: " + reason(errno));
  }
  impl_->fresh_path.clear();
  impl_->guard.reset();
  impl_->former.reset();
}

void SegmentWriter::report_overwritten() {
  constexpr std::uint64_t kLooksBetween = 1'000;
  if (impl_->looks < impl_->next_report) return;
  impl_->next_report = impl_->looks + kLooksBetween;
  log_warning("another process overwrote a segment; restored", {{"segment", impl_->path.string()}});
}

bool SegmentWriter::in_place() {
  Impl& self = *impl_;
  assert(self.fresh_path.empty());
  ++self.looks;
  self.keep_modes();
  const auto held = identity_of(self.file.get());
  const auto named = identity_at(self.path);
  // A missing magic means zeros, of a file that was truncated and extended again.
  self.lost = !held || held->size < self.bytes || self.header()->magic.load(std::memory_order_relaxed) == 0 ||
              self.mapped.hit();
  if (self.lost || held->size != self.bytes || !named || !named->same_file(*held)) return false;
  if (!folder_problem(self.path.parent_path(), FolderUse::kWrite).empty()) return false;
  if (self.header_changed()) {
    report_overwritten();
    self.store_constants(*self.header());
    self.header()->magic.store(kSegmentMagic, std::memory_order_release);
  }
  return true;
}

SegmentContent SegmentWriter::replace() {
  Impl& self = *impl_;
  try {
    prepare_folder(self.path.parent_path());
    // A file that was truncated but not replaced is locked already.
    const auto held = identity_of(self.file.get());
    const auto named = identity_at(self.path);
    if (!held || !named || !held->same_file(*named)) self.guard = self.open_locked();
    Impl::Fresh fresh = self.prepare_fresh();
    if (!self.lost) {
      const auto* from = reinterpret_cast<const SharedWord*>(self.header() + 1);
      auto* to = reinterpret_cast<SharedWord*>(fresh.mapped.header() + 1);
      const std::size_t words = (self.bytes - sizeof(SegmentHeader)) / sizeof(SharedWord);
      for (std::size_t word = 0; word < words; ++word)
        to[word].store(from[word].load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    // Map over the former mapping, so that pointers into it stay valid; its region now unmaps the new one.
    self.mapped.guard->rearm();
    void* const at = self.mapped.region.get_address();
    if (::mmap(at, self.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fresh.file.get(), 0) != at)
      fail(self.path, "cannot be mapped: " + reason(errno));
    self.former = std::exchange(self.file, std::move(fresh.file));
  } catch (const ipc::interprocess_exception& exception) {
    self.remove_unpublished();
    fail(self.path, std::string("cannot be mapped: ") + exception.what());
  } catch (const SegmentError&) {
    self.remove_unpublished();
    throw;
  }
  log_warning(self.lost ? "segment file was truncated; a new one takes its place"
                        : "segment file was removed or replaced; a copy takes its place",
              {{"segment", self.path.string()}});
  return std::exchange(self.lost, false) ? SegmentContent::kLost : SegmentContent::kCopied;
}

void SegmentWriter::beat(std::int64_t now_ns) {
  impl_->header()->heartbeat_ns.store(static_cast<std::uint64_t>(now_ns), std::memory_order_relaxed);
}

}  // namespace auralis
