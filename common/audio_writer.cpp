// SPDX-License-Identifier: MIT
#include "common/audio_layout.h"

#include "common/fingerprint.h"
#include "common/log.h"

namespace auralis {
namespace {

SegmentFormat format_of(const Timeline& timeline, std::uint32_t slots, std::size_t places) {
  Fingerprint fingerprint;
  fingerprint.add(timeline.sample_rate).add(timeline.chunk_frames).add(timeline.channels).add(slots);
  const std::size_t bytes = sizeof(AudioHeader) + places * place_bytes(geometry_of(timeline, slots));
  return {SegmentKind::kAudio, kAudioLayoutVersion, bytes, fingerprint.add(places).value()};
}

}  // namespace

StationState named_state(std::string_view name) {
  StationState state;
  name.copy(state.name, kStationNameBytes - 1);
  return state;
}

struct AudioWriter::Impl {
  std::optional<SegmentWriter> segment;
  Timeline timeline;
  std::uint32_t slots;
  std::size_t places;
  bool taken_over = false;

  Impl(const std::filesystem::path& directory, const Timeline& t, std::uint32_t slot_count,
       std::size_t place_count)
      : timeline(t), slots(slot_count), places(place_count) {
    const std::filesystem::path path = audio_path(directory);
    const SegmentFormat format = format_of(t, slot_count, place_count);
    segment.emplace(path, format);
    if (segment->taken_over() && !credible()) {
      log_warning("what a former synthd left is of another time, and is given up",
                  {{"segment", path.string()}});
      // As another file, not over what readers still see.
      segment.reset();
      std::filesystem::remove(path);
      segment.emplace(path, format);
    }
    if (segment->taken_over()) {
      taken_over = true;
      timeline.epoch_ns = former_epoch_ns();
      check_stations(t.epoch_ns);
    } else {
      describe();
    }
  }

  AudioHeader& header() const { return *reinterpret_cast<AudioHeader*>(segment->payload()); }
  StationEntry& entry(std::size_t place) const {
    const std::size_t offset = sizeof(AudioHeader) + place * place_bytes(geometry_of(timeline, slots));
    return *reinterpret_cast<StationEntry*>(segment->payload() + offset);
  }
  RingWriter ring(std::size_t place) const {
    return {reinterpret_cast<std::byte*>(&entry(place)) + sizeof(StationEntry), geometry_of(timeline, slots)};
  }

  std::uint64_t tenancy(std::size_t place) const {
    return entry(place).tenancy.load(std::memory_order_relaxed);
  }
  bool taken(std::size_t place) const { return tenancy(place) % 2 != 0; }

  std::int64_t former_epoch_ns() const {
    return static_cast<std::int64_t>(header().epoch_ns.load(std::memory_order_relaxed));
  }

  // Whether a former writer's timeline can have begun by now, `timeline` being a fresh one: of a clock that
  // began anew (a reboot, and a folder that outlived it) or a damaged one there is nothing to go on with.
  bool credible() const { return former_epoch_ns() >= 0 && former_epoch_ns() <= timeline.epoch_ns; }

  // Gives up the stations of the former writer that cannot be; `now_ns` is the fresh timeline's epoch.
  void check_stations(std::int64_t now_ns) const {
    const std::int64_t last = timeline.chunk_at(now_ns) + slots;
    for (std::size_t place = 0; place < places; ++place) {
      if (!taken(place)) continue;
      const auto state = checked(entry(place).state.load());
      if (state && state->origin_chunk <= last && ring(place).newest().value_or(0) <= last) continue;
      log_warning("a station that a former synthd left makes no sense, and is given up",
                  {{"place", static_cast<std::int64_t>(place)}});
      close(place);
    }
  }

  void close(std::size_t place) const {
    entry(place).tenancy.store(tenancy(place) + 1, std::memory_order_relaxed);
    // Pairs with the acquire fences of readers: who sees anything of the next tenant sees that this one is
    // gone.
    std::atomic_thread_fence(std::memory_order_release);
    table_changed();
  }

  void describe() const {
    AudioHeader& h = header();
    const auto epoch = static_cast<std::uint64_t>(timeline.epoch_ns);
    h.epoch_ns.store(epoch, std::memory_order_relaxed);
    h.sample_rate.store(timeline.sample_rate, std::memory_order_relaxed);
    h.chunk_frames.store(timeline.chunk_frames, std::memory_order_relaxed);
    h.channels.store(timeline.channels, std::memory_order_relaxed);
    h.slots.store(slots, std::memory_order_relaxed);
    h.places.store(places, std::memory_order_relaxed);
    h.place_bytes.store(place_bytes(geometry_of(timeline, slots)), std::memory_order_relaxed);
    // Tenancies rise over a segment that is replaced too, so that nobody takes a new tenant for an old one.
    for (std::size_t place = 0; place < places; ++place) {
      entry(place).tenancy.store(epoch / 2 * 2, std::memory_order_relaxed);
    }
  }

  void table_changed() const {
    SharedWord& version = header().table_version;
    version.store(version.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
};

AudioWriter::AudioWriter(const std::filesystem::path& directory, const Timeline& timeline,
                         std::uint32_t slots, std::size_t places)
    : impl_(std::make_unique<Impl>(directory, timeline, slots, places)) {}
AudioWriter::~AudioWriter() = default;

bool AudioWriter::taken_over() const { return impl_->taken_over; }
const Timeline& AudioWriter::timeline() const { return impl_->timeline; }
std::uint32_t AudioWriter::slots() const { return impl_->slots; }
std::size_t AudioWriter::places() const { return impl_->places; }
std::uint64_t AudioWriter::tenancy(std::size_t place) const { return impl_->tenancy(place); }

std::optional<StationState> AudioWriter::state(std::size_t place) const {
  if (!impl_->taken(place)) return std::nullopt;
  return checked(impl_->entry(place).state.load());
}

void AudioWriter::open(std::size_t place, const StationState& state) {
  StationEntry& entry = impl_->entry(place);
  impl_->ring(place).clear();
  entry.state.store(state);
  // Release: who sees the tenancy sees the station's own state and none of its predecessor's chunks.
  entry.tenancy.store(impl_->tenancy(place) + 1, std::memory_order_release);
  impl_->table_changed();
}

void AudioWriter::store_state(std::size_t place, const StationState& state) {
  impl_->entry(place).state.store(state);
  impl_->table_changed();
}

void AudioWriter::close(std::size_t place) { impl_->close(place); }

std::optional<std::int64_t> AudioWriter::newest(std::size_t place) const {
  return impl_->ring(place).newest();
}

void AudioWriter::write_chunk(std::size_t place, std::int64_t chunk, const std::int16_t* samples) {
  impl_->ring(place).write(chunk, samples);
}

void AudioWriter::publish(std::int64_t now_ns) { impl_->segment->publish(now_ns); }
void AudioWriter::beat(std::int64_t now_ns) { impl_->segment->beat(now_ns); }

}  // namespace auralis
