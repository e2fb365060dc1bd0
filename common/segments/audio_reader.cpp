// SPDX-License-Identifier: MIT
#include "common/segments/audio_layout.h"

namespace auralis {

namespace {

// Of an epoch, and of a chunk's distance from it, some 70 years: sums of them do not overflow.
constexpr std::int64_t kMostNs = std::int64_t{1} << 61U;

}  // namespace

struct AudioReader::Impl {
  SegmentReader segment;
  bool valid = false;
  Timeline timeline;
  std::uint32_t slots = 0;
  std::size_t places = 0;

  explicit Impl(const std::filesystem::path& directory)
      : segment(audio_path(directory), SegmentKind::kAudio, kAudioLayoutVersion) {}

  const AudioHeader& header() const { return *reinterpret_cast<const AudioHeader*>(segment.payload()); }
  const StationEntry& entry(std::size_t place) const {
    const std::size_t offset = sizeof(AudioHeader) + place * place_bytes(geometry_of(timeline, slots));
    return *reinterpret_cast<const StationEntry*>(segment.payload() + offset);
  }
  RingReader ring(std::size_t place) const {
    return {reinterpret_cast<const std::byte*>(&entry(place)) + sizeof(StationEntry),
            geometry_of(timeline, slots)};
  }

  // Before the station's bytes are read, and after.
  bool came(const StationId& station) const {
    return valid && station.index < places && station.generation % 2 != 0 &&
           entry(station.index).generation.load(std::memory_order_acquire) == station.generation;
  }
  bool stayed(const StationId& station) const {
    std::atomic_thread_fence(std::memory_order_acquire);
    return entry(station.index).generation.load(std::memory_order_relaxed) == station.generation;
  }

  // Reads the header; false where it cannot be what a writer of this layout wrote.
  bool read_header() {
    if (segment.payload_bytes() < sizeof(AudioHeader)) return false;
    const AudioHeader& h = header();
    const std::uint64_t rate = h.sample_rate.load(std::memory_order_relaxed);
    const std::uint64_t frames = h.chunk_frames.load(std::memory_order_relaxed);
    const std::uint64_t channels = h.channels.load(std::memory_order_relaxed);
    const std::uint64_t slot_count = h.slots.load(std::memory_order_relaxed);
    const std::uint64_t place_count = h.places.load(std::memory_order_relaxed);
    // Bounds that keep every product below far from overflow.
    const bool sane = rate >= 8'000 && rate <= 192'000 && frames >= 1 && frames <= rate && channels >= 1 &&
                      channels <= 8 && slot_count >= 1 && slot_count <= 10'000 && place_count >= 1 &&
                      place_count <= kMostStations;
    const auto epoch_ns = static_cast<std::int64_t>(h.epoch_ns.load(std::memory_order_relaxed));
    if (!sane || epoch_ns < -kMostNs || epoch_ns > kMostNs) return false;
    timeline = {epoch_ns, static_cast<std::uint32_t>(rate), static_cast<std::uint32_t>(frames),
                static_cast<std::uint32_t>(channels)};
    slots = static_cast<std::uint32_t>(slot_count);
    places = place_count;
    const std::size_t stride = place_bytes(geometry_of(timeline, slots));
    return h.place_bytes.load(std::memory_order_relaxed) == stride &&
           (segment.payload_bytes() - sizeof(AudioHeader)) / stride >= places;
  }
};

AudioReader::AudioReader(const std::filesystem::path& directory) : impl_(std::make_unique<Impl>(directory)) {}
AudioReader::~AudioReader() = default;

bool AudioReader::refresh() {
  if (!impl_->segment.refresh()) return false;
  impl_->valid = impl_->segment.state() == SegmentState::kReady && impl_->read_header();
  return true;
}

bool AudioReader::ready() const { return impl_->valid; }

std::string AudioReader::describe() const {
  if (impl_->segment.state() == SegmentState::kReady && !impl_->valid) {
    return impl_->segment.describe() + ", but its header makes no sense; remove the file and restart synthd";
  }
  return impl_->segment.describe();
}

const SegmentReader& AudioReader::segment() const { return impl_->segment; }
const Timeline& AudioReader::timeline() const { return impl_->timeline; }
std::uint32_t AudioReader::slots() const { return impl_->slots; }
std::size_t AudioReader::places() const { return impl_->valid ? impl_->places : 0; }

std::uint64_t AudioReader::table_version() const {
  return impl_->valid ? impl_->header().table_version.load(std::memory_order_acquire) : 0;
}

std::uint64_t AudioReader::generation(std::size_t place) const {
  return place < places() ? impl_->entry(place).generation.load(std::memory_order_acquire) : 0;
}

RingRead AudioReader::read(const StationId& station, std::int64_t chunk, std::int16_t* samples) const {
  if (!impl_->came(station)) return RingRead::kWriterGone;
  const RingRead outcome = impl_->ring(station.index).read(chunk, samples);
  if (!impl_->stayed(station)) return RingRead::kWriterGone;
  if (outcome == RingRead::kNotYet && !impl_->segment.writer_alive()) return RingRead::kWriterGone;
  return outcome;
}

std::optional<std::int64_t> AudioReader::newest(const StationId& station) const {
  if (!impl_->came(station)) return std::nullopt;
  auto newest = impl_->ring(station.index).newest();
  const bool possible = newest && *newest <= kMostNs / impl_->timeline.chunk_ns();
  if (!possible || !impl_->stayed(station)) newest.reset();
  return newest;
}

std::optional<StationState> AudioReader::state(const StationId& station) const {
  if (!impl_->came(station)) return std::nullopt;
  auto state = checked(impl_->entry(station.index).state.load());
  if (!impl_->stayed(station)) state.reset();
  return state;
}

std::optional<std::size_t> former_places(const std::filesystem::path& directory, const Timeline& timeline,
                                         std::uint32_t slots) {
  AudioReader reader(directory);
  reader.refresh();
  if (!reader.ready()) return std::nullopt;
  Timeline former = reader.timeline();
  former.epoch_ns = timeline.epoch_ns;
  if (former != timeline || reader.slots() != slots) return std::nullopt;
  return reader.places();
}

}  // namespace auralis
