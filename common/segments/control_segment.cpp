// SPDX-License-Identifier: MIT
#include "common/segments/control_segment.h"
#include "common/segments/segment_view.h"

#include <array>
#include <cassert>
#include <cstring>
#include <vector>

namespace auralis {
namespace {

struct ControlTable {
  alignas(64) SharedWord version;  // number of stores so far, of all rows
  std::array<SharedRecord<ControlRequest>, kMostStations> rows;
};
static_assert(sizeof(ControlRequest) == 352 && sizeof(ShortHistory) == 280,
              "kControlLayoutVersion names this layout");

// The validated payload: its size.
struct ControlView {
  static constexpr const char* kFileName = "control";
  static constexpr SegmentKind kKind = SegmentKind::kControl;
  static constexpr std::uint32_t kVersion = kControlLayoutVersion;
  static constexpr const char* kInvalid = "its size is invalid; remove the file and restart streamd";

  const ControlTable* table = nullptr;

  bool read(const std::byte* payload, std::size_t bytes) {
    if (bytes < sizeof(ControlTable)) return false;
    table = reinterpret_cast<const ControlTable*>(payload);
    return true;
  }
};

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
  std::vector<std::optional<ControlRequest>> own;  // what each row should hold
  std::uint64_t version = 0;
  std::size_t next_checked = 0;

  explicit Impl(const std::filesystem::path& directory)
      : segment(directory / ControlView::kFileName,
                {SegmentKind::kControl, kControlLayoutVersion, sizeof(ControlTable), 0}),
        own(kMostStations) {
    for (std::size_t index = 0; index < own.size(); ++index) own[index] = checked(table().rows[index].load());
    version = table().version.load(std::memory_order_relaxed);
  }

  ControlTable& table() const { return *reinterpret_cast<ControlTable*>(segment.payload()); }

  void store(std::size_t index) {
    // A row that was never used holds number 0, which synthd ignores.
    table().rows[index].store(own[index].value_or(ControlRequest{}));
    table().version.store(++version, std::memory_order_release);
  }

  bool is_intact(std::size_t index) const {
    const SharedRecord<ControlRequest>& record = table().rows[index];
    const auto shown = record.load();
    const ControlRequest expected = own[index].value_or(ControlRequest{});
    if (!shown) return !own[index] && record.version() == 0;
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): finds any byte that another process wrote over
    return std::memcmp(&*shown, &expected, sizeof expected) == 0;
  }

  void restore(std::size_t count) {
    for (; count > 0; --count) {
      if (!is_intact(next_checked)) {
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

std::optional<ControlRequest> ControlWriter::request(std::size_t index) const { return impl_->own.at(index); }

void ControlWriter::store(std::size_t index, const ControlRequest& request) {
  impl_->own.at(index) = request;
  impl_->store(index);
}

void ControlWriter::beat(std::int64_t now_ns) {
  constexpr std::size_t kCheckedAtOnce = kMostStations / 8;  // all of them in less than a second
  impl_->segment.beat(now_ns);
  if (impl_->segment.in_place()) return impl_->restore(kCheckedAtOnce);
  impl_->segment.replace();
  for (std::size_t index = 0; index < kMostStations; ++index) impl_->store(index);
  impl_->segment.publish(now_ns);
}

struct ControlReader::Impl : SegmentView<ControlView> {
  using SegmentView::SegmentView;
};

ControlReader::ControlReader(const std::filesystem::path& directory)
    : impl_(std::make_unique<Impl>(directory)) {}
ControlReader::~ControlReader() = default;

bool ControlReader::refresh() { return impl_->refresh(); }
bool ControlReader::ready() const { return impl_->ready(); }
std::string ControlReader::describe() const { return impl_->describe(); }

std::uint64_t ControlReader::version() const {
  return ready() ? impl_->layout().table->version.load(std::memory_order_acquire) : 0;
}

std::uint64_t ControlReader::version(std::size_t index) const {
  return ready() ? impl_->layout().table->rows.at(index).version() : 0;
}

std::optional<ControlRequest> ControlReader::request(std::size_t index) const {
  if (!ready()) return std::nullopt;
  return checked(impl_->layout().table->rows.at(index).load());
}

}  // namespace auralis
