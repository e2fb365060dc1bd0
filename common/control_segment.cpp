// SPDX-License-Identifier: MIT
#include "common/control_segment.h"

#include <array>

namespace auralis {
namespace {

struct ControlSlots {
  alignas(64) SharedWord version;  // number of stores so far, of all slots
  std::array<SharedRecord<ControlRequest>, kMostStations> slots;
};
static_assert(sizeof(ControlRequest) == 352 && sizeof(ShortHistory) == 280,
              "kControlLayoutVersion names this layout");

std::filesystem::path control_path(const std::filesystem::path& directory) { return directory / "control"; }

std::optional<ControlRequest> checked(std::optional<ControlRequest> request) {
  const bool possible = request && request->station[kStationNameBytes - 1] == 0 && request->chunk >= 0 &&
                        request->history.count <= request->history.changes.size() &&
                        valid(widened(request->history));
  if (!possible) request.reset();
  return request;
}

}  // namespace

struct ControlWriter::Impl {
  SegmentWriter segment;

  explicit Impl(const std::filesystem::path& directory)
      : segment(control_path(directory),
                {SegmentKind::kControl, kControlLayoutVersion, sizeof(ControlSlots), 0}) {}

  ControlSlots& slots() const { return *reinterpret_cast<ControlSlots*>(segment.payload()); }
};

ControlWriter::ControlWriter(const std::filesystem::path& directory, std::int64_t now_ns)
    : impl_(std::make_unique<Impl>(directory)) {
  impl_->segment.publish(now_ns);
}
ControlWriter::~ControlWriter() = default;

std::optional<ControlRequest> ControlWriter::request(std::size_t slot) const {
  return checked(impl_->slots().slots.at(slot).load());
}

void ControlWriter::store(std::size_t slot, const ControlRequest& request) {
  ControlSlots& all = impl_->slots();
  all.slots.at(slot).store(request);
  all.version.store(all.version.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void ControlWriter::beat(std::int64_t now_ns) { impl_->segment.beat(now_ns); }

struct ControlReader::Impl {
  SegmentReader segment;

  explicit Impl(const std::filesystem::path& directory)
      : segment(control_path(directory), SegmentKind::kControl, kControlLayoutVersion) {}

  bool ready() const { return segment.payload_bytes() >= sizeof(ControlSlots); }
  const ControlSlots& slots() const { return *reinterpret_cast<const ControlSlots*>(segment.payload()); }
};

ControlReader::ControlReader(const std::filesystem::path& directory)
    : impl_(std::make_unique<Impl>(directory)) {}
ControlReader::~ControlReader() = default;

bool ControlReader::refresh() { return impl_->segment.refresh(); }
bool ControlReader::ready() const { return impl_->ready(); }

std::string ControlReader::describe() const {
  if (impl_->segment.state() == SegmentState::kReady && !impl_->ready()) {
    return impl_->segment.describe() + ", but its size makes no sense; remove the file and restart streamd";
  }
  return impl_->segment.describe();
}

std::uint64_t ControlReader::version() const {
  return impl_->ready() ? impl_->slots().version.load(std::memory_order_acquire) : 0;
}

std::uint64_t ControlReader::version(std::size_t slot) const {
  return impl_->ready() ? impl_->slots().slots.at(slot).version() : 0;
}

std::optional<ControlRequest> ControlReader::request(std::size_t slot) const {
  if (!impl_->ready()) return std::nullopt;
  return checked(impl_->slots().slots.at(slot).load());
}

}  // namespace auralis
