// SPDX-License-Identifier: MIT
#include "common/segments/control_segment.h"

#include <array>
#include <cstring>
#include <vector>

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
  const bool opens = request && request->action == ControlAction::kOpen;
  const bool possible =
      request && request->station[kStationNameBytes - 1] == 0 &&
      (!opens || is_stored_name(request->station)) && request->chunk >= 0 && request->chunk <= kMostChunk &&
      request->history.count <= request->history.changes.size() && valid(widened(request->history));
  if (!possible) request.reset();
  return request;
}

}  // namespace

struct ControlWriter::Impl {
  SegmentWriter segment;
  std::vector<std::optional<ControlRequest>> own;  // what each slot should hold
  std::uint64_t version = 0;
  std::size_t next_checked = 0;

  explicit Impl(const std::filesystem::path& directory)
      : segment(control_path(directory),
                {SegmentKind::kControl, kControlLayoutVersion, sizeof(ControlSlots), 0}),
        own(kMostStations) {
    for (std::size_t slot = 0; slot < own.size(); ++slot) own[slot] = checked(slots().slots[slot].load());
    version = slots().version.load(std::memory_order_relaxed);
  }

  ControlSlots& slots() const { return *reinterpret_cast<ControlSlots*>(segment.payload()); }

  void store(std::size_t slot) {
    // Of a slot that was never used: number 0, which nobody obeys.
    slots().slots[slot].store(own[slot].value_or(ControlRequest{}));
    slots().version.store(++version, std::memory_order_release);
  }

  bool right(std::size_t slot) const {
    const SharedRecord<ControlRequest>& record = slots().slots[slot];
    const auto shown = record.load();
    const ControlRequest expected = own[slot].value_or(ControlRequest{});
    if (!shown) return !own[slot] && record.version() == 0;
    return std::memcmp(&*shown, &expected, sizeof expected) == 0;
  }

  void put_right(std::size_t count) {
    for (; count > 0; --count) {
      if (!right(next_checked)) {
        segment.report_overwritten();
        store(next_checked);
      }
      next_checked = (next_checked + 1) % own.size();
    }
  }
};

ControlWriter::ControlWriter(const std::filesystem::path& directory, std::int64_t now_ns)
    : impl_(std::make_unique<Impl>(directory)) {
  impl_->segment.publish(now_ns);
}
ControlWriter::~ControlWriter() = default;

std::optional<ControlRequest> ControlWriter::request(std::size_t slot) const { return impl_->own.at(slot); }

void ControlWriter::store(std::size_t slot, const ControlRequest& request) {
  impl_->own.at(slot) = request;
  impl_->store(slot);
}

void ControlWriter::beat(std::int64_t now_ns) {
  constexpr std::size_t kCheckedAtOnce = kMostStations / 8;  // all of them in less than a second
  impl_->segment.beat(now_ns);
  if (impl_->segment.in_place()) return impl_->put_right(kCheckedAtOnce);
  impl_->segment.replace();
  for (std::size_t slot = 0; slot < kMostStations; ++slot) impl_->store(slot);
  impl_->segment.publish(now_ns);
}

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
