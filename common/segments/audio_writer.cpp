// SPDX-License-Identifier: MIT
#include "common/segments/audio_segment.h"

#include "common/segments/audio_layout.h"

#include "common/base/fingerprint.h"
#include "common/base/log.h"
#include "common/base/station_name.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <iterator>
#include <vector>

namespace auralis {
namespace {

SegmentFormat format_of(const Timeline& timeline, std::uint32_t slots, std::size_t capacity) {
  Fingerprint fingerprint;
  fingerprint.add(timeline.sample_rate).add(timeline.chunk_frames).add(timeline.channels).add(slots);
  const std::size_t bytes = sizeof(AudioHeader) + capacity * row_bytes(geometry_of(timeline, slots));
  return {SegmentKind::kAudio, kAudioLayoutVersion, bytes, fingerprint.add(capacity).value()};
}

}  // namespace

bool is_stored_name(const char (&name)[kStationNameBytes]) {
  const char* const end = std::find(std::begin(name), std::end(name), '\0');
  return is_station_name({name, static_cast<std::size_t>(end - name)}) &&
         std::all_of(end, std::end(name), [](char c) { return c == '\0'; });
}

StationState named_state(std::string_view name) {
  StationState state;
  name.copy(state.name, kStationNameBytes - 1);
  return state;
}

struct AudioWriter::Impl {
  std::optional<SegmentWriter> segment;
  Timeline timeline;
  std::uint32_t slots;
  std::size_t capacity;
  bool taken_over = false;
  // The writer's own copy of the table, from which the shared one is restored.
  std::vector<std::uint64_t> generations;
  std::vector<std::optional<StationState>> states;
  std::uint64_t table_version = 0;
  std::size_t next_checked = 0;

  Impl(const std::filesystem::path& directory, const Timeline& t, std::uint32_t slot_count,
       std::size_t row_count)
      : timeline(t), slots(slot_count), capacity(row_count), generations(row_count), states(row_count) {
    assert(capacity >= 1 && capacity <= kMostStations && slots >= 1);
    const std::filesystem::path path = directory / kAudioFileName;
    const SegmentFormat format = format_of(t, slot_count, row_count);
    segment.emplace(path, format);
    if (segment->taken_over() && !credible()) {
      log_warning("former segment discarded: its timeline is invalid, or from before a reboot",
                  {{"segment", path.string()}});
      // A new file: readers may still map the old one.
      segment.reset();
      std::filesystem::remove(path);
      segment.emplace(path, format);
    }
    if (segment->taken_over()) {
      taken_over = true;
      timeline.epoch_ns = former_epoch_ns();
      for (std::size_t index = 0; index < capacity; ++index)
        generations[index] = entry(index).generation.load(std::memory_order_relaxed);
      table_version = header().table_version.load(std::memory_order_relaxed);
      take_over_stations(t.epoch_ns);
    } else {
      // Above all generations of a segment that is replaced: no reader mistakes a new station for an old one.
      std::fill(generations.begin(), generations.end(), static_cast<std::uint64_t>(t.epoch_ns) / 2 * 2);
    }
    describe();
  }

  AudioHeader& header() const { return *reinterpret_cast<AudioHeader*>(segment->payload()); }
  StationEntry& entry(std::size_t index) const {
    const std::size_t offset = sizeof(AudioHeader) + index * row_bytes(geometry_of(timeline, slots));
    return *reinterpret_cast<StationEntry*>(segment->payload() + offset);
  }
  RingWriter ring(std::size_t index) const {
    return {reinterpret_cast<std::byte*>(&entry(index)) + sizeof(StationEntry), geometry_of(timeline, slots)};
  }

  bool taken(std::size_t index) const { return generations[index] % 2 != 0; }

  std::int64_t former_epoch_ns() const {
    return static_cast<std::int64_t>(header().epoch_ns.load(std::memory_order_relaxed));
  }

  // Whether a former writer's timeline can have begun by now, `timeline` being a fresh one. Not after a
  // reboot that the folder outlived (the clock was reset), or if the header is damaged.
  bool credible() const { return former_epoch_ns() >= 0 && former_epoch_ns() <= timeline.epoch_ns; }

  // Takes over the former writer's stations, except impossible ones. `now_ns` is the fresh timeline's epoch.
  void take_over_stations(std::int64_t now_ns) {
    const std::int64_t last = timeline.chunk_at(now_ns) + slots;
    for (std::size_t index = 0; index < capacity; ++index) {
      if (!taken(index)) continue;
      states[index] = checked(entry(index).state.load());
      const auto& state = states[index];
      if (state && state->origin_chunk <= last && ring(index).newest().value_or(0) <= last) continue;
      log_warning("station of a former synthd discarded: its state is invalid",
                  {{"index", static_cast<std::int64_t>(index)}});
      close(index);
    }
  }

  void open(std::size_t index, const StationState& state) {
    assert(!taken(index));
    ring(index).clear();
    states[index] = state;
    entry(index).state.store(state);
    // Release: a reader that sees the generation sees the station's own state and none of the former
    // station's chunks.
    entry(index).generation.store(++generations[index], std::memory_order_release);
    table_changed();
  }

  void store_state(std::size_t index, const StationState& state) {
    assert(taken(index));
    states[index] = state;
    entry(index).state.store(state);
    table_changed();
  }

  void close(std::size_t index) {
    assert(taken(index));
    states[index].reset();
    entry(index).generation.store(++generations[index], std::memory_order_relaxed);
    // Pairs with the acquire fences of readers: a reader that sees anything of the row's next station sees
    // that this one is closed.
    std::atomic_thread_fence(std::memory_order_release);
    table_changed();
  }

  void table_changed() { header().table_version.store(++table_version, std::memory_order_release); }

  // Stores the header and the generations where they differ. Whether some did.
  bool describe() {
    AudioHeader& h = header();
    bool changed = put(h.epoch_ns, static_cast<std::uint64_t>(timeline.epoch_ns));
    changed |= put(h.sample_rate, timeline.sample_rate);
    changed |= put(h.chunk_frames, timeline.chunk_frames);
    changed |= put(h.channels, timeline.channels);
    changed |= put(h.slots, slots);
    changed |= put(h.capacity, capacity);
    changed |= put(h.row_bytes, row_bytes(geometry_of(timeline, slots)));
    changed |= put(h.table_version, table_version);
    for (std::size_t index = 0; index < capacity; ++index)
      changed |= put(entry(index).generation, generations[index]);
    if (changed) table_changed();
    return changed;
  }

  static bool put(SharedWord& word, std::uint64_t value) {
    if (word.load(std::memory_order_relaxed) == value) return false;
    word.store(value, std::memory_order_release);
    return true;
  }

  // Stores the states of the next `count` rows where they differ. Whether one did.
  bool restore_states(std::size_t count) {
    bool changed = false;
    for (; count > 0; --count) {
      const std::size_t index = next_checked;
      next_checked = (index + 1) % capacity;
      if (!states[index]) continue;
      const auto shown = entry(index).state.load();
      // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): finds any byte that another process wrote over
      if (shown && std::memcmp(&*shown, &*states[index], sizeof *shown) == 0) continue;
      store_state(index, StationState(*states[index]));
      changed = true;
    }
    return changed;
  }

  bool run_housekeeping(std::int64_t now_ns) {
    const bool in_place = segment->in_place();
    const bool lost = !in_place && segment->replace() == SegmentContent::kLost;
    constexpr std::size_t kParts = 8;
    bool overwritten = describe();
    overwritten |= restore_states(in_place ? (capacity + kParts - 1) / kParts : capacity);
    if (in_place && overwritten) segment->report_overwritten();
    if (!in_place) segment->publish(now_ns);
    return lost;
  }
};

AudioWriter::AudioWriter(const std::filesystem::path& directory, const Timeline& timeline,
                         std::uint32_t slots, std::size_t capacity)
    : impl_(std::make_unique<Impl>(directory, timeline, slots, capacity)) {}
AudioWriter::~AudioWriter() = default;

bool AudioWriter::taken_over() const { return impl_->taken_over; }
const Timeline& AudioWriter::timeline() const { return impl_->timeline; }
std::uint32_t AudioWriter::slots() const { return impl_->slots; }
std::size_t AudioWriter::capacity() const { return impl_->capacity; }
std::uint64_t AudioWriter::generation(std::size_t index) const { return impl_->generations.at(index); }

std::optional<StationState> AudioWriter::state(std::size_t index) const { return impl_->states.at(index); }

void AudioWriter::open(std::size_t index, const StationState& state) { impl_->open(index, state); }
void AudioWriter::store_state(std::size_t index, const StationState& state) {
  impl_->store_state(index, state);
}
void AudioWriter::close(std::size_t index) { impl_->close(index); }

std::optional<std::int64_t> AudioWriter::newest(std::size_t index) const {
  return impl_->ring(index).newest();
}

void AudioWriter::write_chunk(std::size_t index, std::int64_t chunk, const std::int16_t* samples) {
  assert(impl_->taken(index));
  impl_->ring(index).write(chunk, samples);
}

void AudioWriter::publish(std::int64_t now_ns) { impl_->segment->publish(now_ns); }
void AudioWriter::beat(std::int64_t now_ns) { impl_->segment->beat(now_ns); }

bool AudioWriter::run_housekeeping(std::int64_t now_ns) { return impl_->run_housekeeping(now_ns); }

}  // namespace auralis
