// SPDX-License-Identifier: MIT
#include "common/audio_segment.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/fingerprint.h"

namespace auralis {
namespace {

// Written before the segment is published, constant from then on.
struct AudioHeader {
  SharedWord epoch_ns;
  SharedWord sample_rate;
  SharedWord chunk_frames;
  SharedWord channels;
  SharedWord slots;
  SharedWord station_count;
  SharedWord station_bytes;  // from one StationEntry to the next
  SharedWord reserved;
};
static_assert(sizeof(AudioHeader) == 64);

struct StationEntry {
  SharedWord name[words_for(kStationNameBytes)];
  SharedWord seed;
  alignas(64) SharedRecord<StationState> state;
  // The ring follows.
};
static_assert(sizeof(StationEntry) % 64 == 0 && offsetof(StationEntry, state) == 64);
static_assert(sizeof(StationState) == 1832 && sizeof(BarRecord) == 48 && sizeof(LevelChange) == 32,
              "kAudioLayoutVersion names this layout");

RingGeometry geometry_of(const Timeline& timeline, std::uint32_t slots) {
  return {slots, timeline.chunk_samples()};
}

std::size_t station_bytes(const RingGeometry& geometry) { return sizeof(StationEntry) + geometry.bytes(); }

SegmentFormat format_of(const Timeline& timeline, std::uint32_t slots,
                        const std::vector<StationInfo>& stations) {
  Fingerprint fingerprint;
  fingerprint.add(timeline.sample_rate).add(timeline.chunk_frames).add(timeline.channels).add(slots);
  for (const auto& station : stations) fingerprint.add(station.name).add(station.seed);
  const std::size_t bytes =
      sizeof(AudioHeader) + stations.size() * station_bytes(geometry_of(timeline, slots));
  return {SegmentKind::kAudio, kAudioLayoutVersion, bytes, fingerprint.value()};
}

std::filesystem::path audio_path(const std::filesystem::path& directory) { return directory / "audio"; }

// No bar is longer at any tempo and rate.
constexpr std::int64_t kMaxBarFrames = std::int64_t{10} * 192'000;

bool plausible(const BarRecord& bar) {
  return bar.index >= 0 && bar.start_frame >= 0 && bar.frames > 0 && bar.frames <= kMaxBarFrames &&
         valid(bar.parameters);
}

bool plausible(const StationState& state) {
  if (state.bar_count > StationState::kBars) return false;
  if (state.level_count < 1 || state.level_count > StationState::kLevelChanges) return false;
  if (!valid(state.target)) return false;
  for (std::uint32_t i = 0; i < state.level_count; ++i) {
    if (!valid(state.levels[i].levels)) return false;
    if (i > 0 && state.levels[i].chunk <= state.levels[i - 1].chunk) return false;
  }
  for (std::uint32_t i = 0; i < state.bar_count; ++i) {
    const BarRecord& bar = state.bars[i];
    if (!plausible(bar)) return false;
    if (i == 0) continue;
    const BarRecord& before = state.bars[i - 1];
    if (bar.index != before.index + 1 || bar.start_frame != before.start_frame + before.frames) return false;
  }
  return true;
}

std::optional<StationState> checked(std::optional<StationState> state) {
  if (state && !plausible(*state)) state.reset();
  return state;
}

}  // namespace

struct AudioWriter::Impl {
  SegmentWriter segment;
  Timeline timeline;
  std::uint32_t slots;
  std::size_t stations;
  bool taken_over = false;

  Impl(const std::filesystem::path& directory, const Timeline& t, std::uint32_t slot_count,
       const std::vector<StationInfo>& infos)
      : segment(audio_path(directory), format_of(t, slot_count, infos)),
        timeline(t),
        slots(slot_count),
        stations(infos.size()) {}

  AudioHeader& header() const { return *reinterpret_cast<AudioHeader*>(segment.payload()); }
  StationEntry& entry(std::size_t station) const {
    const std::size_t offset = sizeof(AudioHeader) + station * station_bytes(geometry_of(timeline, slots));
    return *reinterpret_cast<StationEntry*>(segment.payload() + offset);
  }
  RingWriter ring(std::size_t station) const {
    return {reinterpret_cast<std::byte*>(&entry(station)) + sizeof(StationEntry),
            geometry_of(timeline, slots)};
  }

  std::int64_t former_epoch_ns() const {
    return static_cast<std::int64_t>(header().epoch_ns.load(std::memory_order_relaxed));
  }

  // Whether a former writer's content can have been written by now, `timeline` being a fresh one: of a clock
  // that began anew (a reboot, and a folder that outlived it) or a damaged one there is nothing to go on
  // with.
  bool credible() const {
    Timeline former = timeline;
    former.epoch_ns = former_epoch_ns();
    if (former.epoch_ns < 0 || former.epoch_ns > timeline.epoch_ns) return false;
    const std::int64_t last = former.chunk_at(timeline.epoch_ns) + slots;
    for (std::size_t station = 0; station < stations; ++station) {
      if (ring(station).newest().value_or(0) > last) return false;
      const auto state = entry(station).state.load();
      if (!state || state->bar_count == 0) continue;
      if (!plausible(*state)) return false;
      if (state->bars[state->bar_count - 1].start_frame > former.first_frame(last + 1)) return false;
    }
    return true;
  }

  void clear() const {
    auto* words = reinterpret_cast<SharedWord*>(segment.payload());
    const std::size_t bytes = sizeof(AudioHeader) + stations * station_bytes(geometry_of(timeline, slots));
    for (std::size_t word = 0; word < bytes / sizeof(SharedWord); ++word) {
      words[word].store(0, std::memory_order_relaxed);
    }
  }

  void describe(const std::vector<StationInfo>& infos) const {
    AudioHeader& h = header();
    h.epoch_ns.store(static_cast<std::uint64_t>(timeline.epoch_ns), std::memory_order_relaxed);
    h.sample_rate.store(timeline.sample_rate, std::memory_order_relaxed);
    h.chunk_frames.store(timeline.chunk_frames, std::memory_order_relaxed);
    h.channels.store(timeline.channels, std::memory_order_relaxed);
    h.slots.store(slots, std::memory_order_relaxed);
    h.station_count.store(stations, std::memory_order_relaxed);
    h.station_bytes.store(station_bytes(geometry_of(timeline, slots)), std::memory_order_relaxed);
    for (std::size_t station = 0; station < infos.size(); ++station) {
      char name[kStationNameBytes] = {};
      infos[station].name.copy(name, kStationNameBytes - 1);
      store_words(entry(station).name, name, sizeof name);
      entry(station).seed.store(infos[station].seed, std::memory_order_relaxed);
    }
  }
};

AudioWriter::AudioWriter(const std::filesystem::path& directory, const Timeline& timeline,
                         std::uint32_t slots, const std::vector<StationInfo>& stations)
    : impl_(std::make_unique<Impl>(directory, timeline, slots, stations)) {
  if (!impl_->segment.taken_over()) {
    impl_->describe(stations);
  } else if (impl_->credible()) {
    impl_->taken_over = true;
    impl_->timeline.epoch_ns = impl_->former_epoch_ns();
  } else {
    impl_->clear();
    impl_->describe(stations);
  }
}
AudioWriter::~AudioWriter() = default;

bool AudioWriter::taken_over() const { return impl_->taken_over; }
const Timeline& AudioWriter::timeline() const { return impl_->timeline; }
std::uint32_t AudioWriter::slots() const { return impl_->slots; }

std::optional<StationState> AudioWriter::state(std::size_t station) const {
  return checked(impl_->entry(station).state.load());
}

void AudioWriter::store_state(std::size_t station, const StationState& state) {
  impl_->entry(station).state.store(state);
}

std::optional<std::int64_t> AudioWriter::newest(std::size_t station) const {
  return impl_->ring(station).newest();
}

void AudioWriter::write_chunk(std::size_t station, std::int64_t chunk, const std::int16_t* samples) {
  impl_->ring(station).write(chunk, samples);
}

void AudioWriter::publish(std::int64_t now_ns) { impl_->segment.publish(now_ns); }
void AudioWriter::beat(std::int64_t now_ns) { impl_->segment.beat(now_ns); }

struct AudioReader::Impl {
  SegmentReader segment;
  bool valid = false;
  Timeline timeline;
  std::uint32_t slots = 0;
  std::vector<StationInfo> stations;

  explicit Impl(const std::filesystem::path& directory)
      : segment(audio_path(directory), SegmentKind::kAudio, kAudioLayoutVersion) {}

  bool has(std::size_t station) const { return valid && station < stations.size(); }

  const StationEntry& entry(std::size_t station) const {
    const std::size_t offset = sizeof(AudioHeader) + station * station_bytes(geometry_of(timeline, slots));
    return *reinterpret_cast<const StationEntry*>(segment.payload() + offset);
  }
  RingReader ring(std::size_t station) const {
    return {reinterpret_cast<const std::byte*>(&entry(station)) + sizeof(StationEntry),
            geometry_of(timeline, slots)};
  }

  // Reads the header; false where it cannot be what a writer of this layout wrote.
  bool read_header() {
    stations.clear();
    if (segment.payload_bytes() < sizeof(AudioHeader)) return false;
    const auto& h = *reinterpret_cast<const AudioHeader*>(segment.payload());
    const std::uint64_t rate = h.sample_rate.load(std::memory_order_relaxed);
    const std::uint64_t frames = h.chunk_frames.load(std::memory_order_relaxed);
    const std::uint64_t channels = h.channels.load(std::memory_order_relaxed);
    const std::uint64_t slot_count = h.slots.load(std::memory_order_relaxed);
    const std::uint64_t count = h.station_count.load(std::memory_order_relaxed);
    // Bounds that keep every product below far from overflow.
    const bool sane = rate >= 8'000 && rate <= 192'000 && frames >= 1 && frames <= rate && channels >= 1 &&
                      channels <= 8 && slot_count >= 1 && slot_count <= 10'000 && count >= 1 &&
                      count <= 1'000'000;
    if (!sane) return false;
    timeline = {static_cast<std::int64_t>(h.epoch_ns.load(std::memory_order_relaxed)),
                static_cast<std::uint32_t>(rate), static_cast<std::uint32_t>(frames),
                static_cast<std::uint32_t>(channels)};
    slots = static_cast<std::uint32_t>(slot_count);
    const std::size_t stride = station_bytes(geometry_of(timeline, slots));
    if (h.station_bytes.load(std::memory_order_relaxed) != stride) return false;
    if ((segment.payload_bytes() - sizeof(AudioHeader)) / stride < count) return false;
    for (std::size_t station = 0; station < count; ++station) stations.push_back(info(station));
    return true;
  }

  StationInfo info(std::size_t station) const {
    char name[kStationNameBytes];
    load_words(name, entry(station).name, sizeof name);
    name[sizeof name - 1] = 0;
    return {name, entry(station).seed.load(std::memory_order_relaxed)};
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
const std::vector<StationInfo>& AudioReader::stations() const { return impl_->stations; }

RingRead AudioReader::read(std::size_t station, std::int64_t chunk, std::int16_t* samples) const {
  if (!impl_->has(station)) return RingRead::kWriterGone;
  const RingRead outcome = impl_->ring(station).read(chunk, samples);
  if (outcome == RingRead::kNotYet && !impl_->segment.writer_alive()) return RingRead::kWriterGone;
  return outcome;
}

std::optional<std::int64_t> AudioReader::newest(std::size_t station) const {
  if (!impl_->has(station)) return std::nullopt;
  return impl_->ring(station).newest();
}

std::optional<StationState> AudioReader::state(std::size_t station) const {
  if (!impl_->has(station)) return std::nullopt;
  return checked(impl_->entry(station).state.load());
}

}  // namespace auralis
