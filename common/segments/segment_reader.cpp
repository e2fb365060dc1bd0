// SPDX-License-Identifier: MIT
#include "common/segments/segment.h"
#include "common/segments/segment_file.h"
#include "common/segments/trusted_folder.h"

#include <cerrno>

namespace auralis {
namespace {

// An open file of a segment, mapped.
struct Attachment {
  FileDescriptor file;
  FileIdentity identity;
  std::uint64_t generation = 0;
  GuardedRegion mapped;

  const SegmentHeader& header() const { return *mapped.header(); }
  bool whole() const {
    const auto now = identity_of(file.get());
    return now && now->size == identity.size && !mapped.hit();
  }
  bool writer_alive() const {
    struct flock lock = whole_file(F_RDLCK);
    return ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  }
};

}  // namespace

struct SegmentReader::Impl {
  std::filesystem::path path;
  SegmentKind kind;
  std::uint32_t version;
  SegmentState state = SegmentState::kMissing;
  std::string untrusted;  // the reason, in state kUntrusted
  std::optional<Attachment> attached;

  Impl(std::filesystem::path p, SegmentKind k, std::uint32_t v) : path(std::move(p)), kind(k), version(v) {}

  // Returns the current state of the file under the path; maps it into `to` if it is ready.
  SegmentState attach(Attachment& to) {
    // O_NONBLOCK has no effect on a file, and keeps a pipe of that name from blocking the reader.
    to.file = FileDescriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!to.file.is_open())
      return errno == EACCES || errno == EPERM ? SegmentState::kDenied : SegmentState::kMissing;
    untrusted = folder_problem(path.parent_path(), FolderUse::kRead);
    if (!untrusted.empty()) return SegmentState::kUntrusted;
    const auto file_identity = identity_of(to.file.get());
    if (!file_identity) return SegmentState::kMissing;
    if (!file_identity->regular) return SegmentState::kForeign;
    if (file_identity->size == 0) return SegmentState::kNotReady;
    if (file_identity->size < sizeof(SegmentHeader)) return SegmentState::kForeign;
    to.identity = *file_identity;
    try {
      to.mapped = GuardedRegion(to.file.get(), ipc::read_only, file_identity->size);
    } catch (const ipc::interprocess_exception&) {
      return SegmentState::kDenied;
    }
    return header_state(to);
  }

  SegmentState header_state(Attachment& to) const {
    // Pairs with the release store in SegmentWriter::publish.
    const std::uint64_t magic = to.header().magic.load(std::memory_order_acquire);
    if (magic != kSegmentMagic) return magic == 0 ? SegmentState::kNotReady : SegmentState::kForeign;
    const std::uint64_t kind_and_version = to.header().kind_and_version.load(std::memory_order_relaxed);
    if (kind_and_version >> 32U != static_cast<std::uint64_t>(kind)) return SegmentState::kForeign;
    if (kind_and_version != kind_word(kind, version)) return SegmentState::kWrongVersion;
    if (to.header().size_bytes.load(std::memory_order_relaxed) != to.identity.size)
      return SegmentState::kTruncated;
    to.generation = to.header().generation.load(std::memory_order_acquire);
    return SegmentState::kReady;
  }

  // Whether the attached file is still the one under the path, of the same writer.
  bool unchanged() const {
    const auto named = identity_at(path);
    return named && named->same_file(attached->identity) && named->size == attached->identity.size &&
           attached->header().generation.load(std::memory_order_acquire) == attached->generation &&
           !attached->mapped.hit();
  }
};

SegmentReader::SegmentReader(std::filesystem::path path, SegmentKind kind, std::uint32_t version)
    : impl_(std::make_unique<Impl>(std::move(path), kind, version)) {}
SegmentReader::~SegmentReader() = default;
SegmentReader::SegmentReader(SegmentReader&&) noexcept = default;
SegmentReader& SegmentReader::operator=(SegmentReader&&) noexcept = default;

bool SegmentReader::refresh() {
  Impl& self = *impl_;
  const bool was_ready = self.state == SegmentState::kReady;
  if (was_ready && self.unchanged()) return false;
  std::optional<Attachment> now(std::in_place);
  const SegmentState state = self.attach(*now);
  if (state != SegmentState::kReady) {
    // Its writer is about to restore it; until then its writes still reach the attached file.
    if (was_ready && self.attached->whole() && self.attached->writer_alive()) return false;
    now.reset();
  }
  self.attached.swap(now);
  const SegmentState before = std::exchange(self.state, state);
  return state == SegmentState::kReady || state != before;
}

SegmentState SegmentReader::state() const { return impl_->state; }

std::string SegmentReader::describe() const {
  std::string where = "segment " + impl_->path.string();
  switch (impl_->state) {
    case SegmentState::kReady:
      return where + " is attached";
    case SegmentState::kMissing:
      return where + " does not exist; its daemon has not been started in this runtime directory";
    case SegmentState::kDenied:
      return where + " may not be read; run as a member of the group that owns it";
    case SegmentState::kNotReady:
      return where + " is being prepared by its daemon";
    case SegmentState::kForeign:
      return where + " is not a segment of the expected kind; remove the file and restart its daemon";
    case SegmentState::kWrongVersion:
      return where + " has a different layout version; run daemons of one release";
    case SegmentState::kTruncated:
      return where + " has a different size than its header says; remove the file and restart its daemon";
    case SegmentState::kUntrusted:
      return where + " is not read: its folder " + impl_->untrusted;
  }
  return where;
}

const std::byte* SegmentReader::payload() const {
  if (impl_->state != SegmentState::kReady) return nullptr;
  return static_cast<const std::byte*>(impl_->attached->mapped.region.get_address()) + sizeof(SegmentHeader);
}

std::size_t SegmentReader::payload_bytes() const {
  return impl_->state == SegmentState::kReady
             ? impl_->attached->mapped.region.get_size() - sizeof(SegmentHeader)
             : 0;
}

const std::filesystem::path& SegmentReader::path() const { return impl_->path; }

bool SegmentReader::under_its_name() const {
  return impl_->state == SegmentState::kReady && impl_->unchanged();
}

bool SegmentReader::writer_alive() const {
  return impl_->state == SegmentState::kReady && impl_->attached->writer_alive();
}

std::int64_t SegmentReader::heartbeat_ns() const {
  if (impl_->state != SegmentState::kReady) return 0;
  return static_cast<std::int64_t>(impl_->attached->header().heartbeat_ns.load(std::memory_order_relaxed));
}

bool SegmentReader::writer_healthy(std::int64_t now_ns) const {
  return writer_alive() && now_ns - heartbeat_ns() < kHungAfterNs;
}

std::uint64_t SegmentReader::generation() const {
  return impl_->state == SegmentState::kReady
             ? impl_->attached->header().generation.load(std::memory_order_acquire)
             : 0;
}

}  // namespace auralis
