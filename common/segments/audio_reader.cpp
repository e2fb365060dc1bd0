// SPDX-License-Identifier: MIT
#include "common/segments/audio_segment.h"

#include "common/segments/audio_layout.h"
#include "common/segments/segment_view.h"

namespace auralis {

namespace {

// Bound of an epoch, and of a chunk's distance from it: about 70 years, so that sums do not overflow.
constexpr std::int64_t kMostNs = std::int64_t{1} << 61U;

// The validated part of a payload.
struct AudioView {
  static constexpr const char* kFileName = kAudioFileName;
  static constexpr SegmentKind kKind = SegmentKind::kAudio;
  static constexpr std::uint32_t kVersion = kAudioLayoutVersion;
  static constexpr const char* kInvalid = "its header is invalid; remove the file and restart synthd";

  const std::byte* payload = nullptr;
  Timeline timeline;
  std::uint32_t slots = 0;
  std::size_t capacity = 0;

  const AudioHeader& header() const { return *reinterpret_cast<const AudioHeader*>(payload); }
  const StationEntry& entry(std::size_t index) const {
    const std::size_t offset = sizeof(AudioHeader) + index * row_bytes(geometry_of(timeline, slots));
    return *reinterpret_cast<const StationEntry*>(payload + offset);
  }
  RingReader ring(std::size_t index) const {
    return {reinterpret_cast<const std::byte*>(&entry(index)) + sizeof(StationEntry),
            geometry_of(timeline, slots)};
  }

  bool read(const std::byte* bytes, std::size_t count) {
    if (count < sizeof(AudioHeader)) return false;
    payload = bytes;
    const AudioHeader& h = header();
    const std::uint64_t rate = h.sample_rate.load(std::memory_order_relaxed);
    const std::uint64_t frames = h.chunk_frames.load(std::memory_order_relaxed);
    const std::uint64_t channels = h.channels.load(std::memory_order_relaxed);
    const std::uint64_t slot_count = h.slots.load(std::memory_order_relaxed);
    const std::uint64_t rows = h.capacity.load(std::memory_order_relaxed);
    // Bounds that keep the products below from overflowing.
    const bool sane = rate >= 8'000 && rate <= 192'000 && frames >= 1 && frames <= rate && channels >= 1 &&
                      channels <= 8 && slot_count >= 1 && slot_count <= 10'000 && rows >= 1 &&
                      rows <= kMostStations;
    const auto epoch_ns = static_cast<std::int64_t>(h.epoch_ns.load(std::memory_order_relaxed));
    if (!sane || epoch_ns < -kMostNs || epoch_ns > kMostNs) return false;
    timeline = {epoch_ns, static_cast<std::uint32_t>(rate), static_cast<std::uint32_t>(frames),
                static_cast<std::uint32_t>(channels)};
    slots = static_cast<std::uint32_t>(slot_count);
    capacity = rows;
    const std::size_t stride = row_bytes(geometry_of(timeline, slots));
    return h.row_bytes.load(std::memory_order_relaxed) == stride &&
           (count - sizeof(AudioHeader)) / stride >= capacity;
  }
};

}  // namespace

struct AudioReader::Impl : SegmentView<AudioView> {
  using SegmentView::SegmentView;

  // Read a station's bytes between opened() and still_open().
  bool opened(const StationId& station) const {
    return ready() && station.index < layout().capacity && station.generation % 2 != 0 &&
           layout().entry(station.index).generation.load(std::memory_order_acquire) == station.generation;
  }
  bool still_open(const StationId& station) const {
    std::atomic_thread_fence(std::memory_order_acquire);
    return layout().entry(station.index).generation.load(std::memory_order_relaxed) == station.generation;
  }
};

AudioReader::AudioReader(const std::filesystem::path& directory) : impl_(std::make_unique<Impl>(directory)) {}
AudioReader::~AudioReader() = default;

bool AudioReader::refresh() { return impl_->refresh(); }
bool AudioReader::ready() const { return impl_->ready(); }
std::string AudioReader::describe() const { return impl_->describe(); }
const SegmentReader& AudioReader::segment() const { return impl_->segment(); }
const Timeline& AudioReader::timeline() const { return impl_->layout().timeline; }
std::uint32_t AudioReader::slots() const { return impl_->layout().slots; }
std::size_t AudioReader::capacity() const { return ready() ? impl_->layout().capacity : 0; }

std::uint64_t AudioReader::table_version() const {
  return ready() ? impl_->layout().header().table_version.load(std::memory_order_acquire) : 0;
}

std::uint64_t AudioReader::generation(std::size_t index) const {
  return index < capacity() ? impl_->layout().entry(index).generation.load(std::memory_order_acquire) : 0;
}

RingRead AudioReader::read(const StationId& station, std::int64_t chunk, std::int16_t* samples) const {
  if (!impl_->opened(station)) return RingRead::kWriterGone;
  const RingRead outcome = impl_->layout().ring(station.index).read(chunk, samples);
  if (!impl_->still_open(station)) return RingRead::kWriterGone;
  if (outcome == RingRead::kNotYet && !segment().writer_alive()) return RingRead::kWriterGone;
  return outcome;
}

std::optional<std::int64_t> AudioReader::newest(const StationId& station) const {
  if (!impl_->opened(station)) return std::nullopt;
  auto newest = impl_->layout().ring(station.index).newest();
  const bool possible = newest && *newest <= kMostNs / timeline().chunk_ns();
  if (!possible || !impl_->still_open(station)) newest.reset();
  return newest;
}

std::optional<StationState> AudioReader::state(const StationId& station) const {
  if (!impl_->opened(station)) return std::nullopt;
  auto state = checked(impl_->layout().entry(station.index).state.load());
  if (!impl_->still_open(station)) state.reset();
  return state;
}

std::optional<std::size_t> former_capacity(const std::filesystem::path& directory, const Timeline& timeline,
                                           std::uint32_t slots) {
  AudioReader reader(directory);
  reader.refresh();
  if (!reader.ready()) return std::nullopt;
  Timeline former = reader.timeline();
  former.epoch_ns = timeline.epoch_ns;
  if (former != timeline || reader.slots() != slots) return std::nullopt;
  return reader.capacity();
}

}  // namespace auralis
