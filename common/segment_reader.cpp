// SPDX-License-Identifier: MIT
#include "common/segment.h"
#include "common/segment_file.h"

#include <cerrno>

namespace auralis {

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
      region = map_file(file.get(), ipc::read_only, file_identity->size);
    } catch (const ipc::interprocess_exception&) {
      return SegmentState::kDenied;
    }
    attached = *file_identity;
    // Pairs with the release store in SegmentWriter::publish.
    const std::uint64_t magic = header()->magic.load(std::memory_order_acquire);
    if (magic != kSegmentMagic) return magic == 0 ? SegmentState::kNotReady : SegmentState::kForeign;
    const std::uint64_t kind_and_version = header()->kind_and_version.load(std::memory_order_relaxed);
    if (kind_and_version >> 32U != static_cast<std::uint64_t>(kind)) return SegmentState::kForeign;
    if (kind_and_version != kind_word(kind, version)) return SegmentState::kWrongVersion;
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

}  // namespace auralis
