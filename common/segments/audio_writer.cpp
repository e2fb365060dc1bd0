// SPDX-License-Identifier: MIT
#include "common/segments/audio_layout.h"

#include "common/base/fingerprint.h"
#include "common/base/log.h"
#include "common/base/station_name.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <vector>

namespace auralis {
namespace {

SegmentFormat format_of(const Timeline& timeline, std::uint32_t slots, std::size_t places) {
  Fingerprint fingerprint;
  fingerprint.add(timeline.sample_rate).add(timeline.chunk_frames).add(timeline.channels).add(slots);
  const std::size_t bytes = sizeof(AudioHeader) + places * place_bytes(geometry_of(timeline, slots));
  return {SegmentKind::kAudio, kAudioLayoutVersion, bytes, fingerprint.add(places).value()};
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
  std::size_t places;
  bool taken_over = false;
  // What the table should hold, from which it can be stored again.
  std::vector<std::uint64_t> generations;
  std::vector<std::optional<StationState>> states;
  std::uint64_t table_version = 0;
  std::size_t next_checked = 0;

  Impl(const std::filesystem::path& directory, const Timeline& t, std::uint32_t slot_count,
       std::size_t place_count)
      : timeline(t), slots(slot_count), places(place_count), generations(place_count), states(place_count) {
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
      for (std::size_t place = 0; place < places; ++place)
        generations[place] = entry(place).generation.load(std::memory_order_relaxed);
      table_version = header().table_version.load(std::memory_order_relaxed);
      take_stations(t.epoch_ns);
    } else {
      // Tenancies rise over a segment that is replaced too, so that no reader takes a new tenant for an old
      // one.
      std::fill(generations.begin(), generations.end(), static_cast<std::uint64_t>(t.epoch_ns) / 2 * 2);
    }
    describe();
  }

  AudioHeader& header() const { return *reinterpret_cast<AudioHeader*>(segment->payload()); }
  StationEntry& entry(std::size_t place) const {
    const std::size_t offset = sizeof(AudioHeader) + place * place_bytes(geometry_of(timeline, slots));
    return *reinterpret_cast<StationEntry*>(segment->payload() + offset);
  }
  RingWriter ring(std::size_t place) const {
    return {reinterpret_cast<std::byte*>(&entry(place)) + sizeof(StationEntry), geometry_of(timeline, slots)};
  }

  bool taken(std::size_t place) const { return generations[place] % 2 != 0; }

  std::int64_t former_epoch_ns() const {
    return static_cast<std::int64_t>(header().epoch_ns.load(std::memory_order_relaxed));
  }

  // Whether a former writer's timeline can have begun by now, `timeline` being a fresh one: of a clock that
  // began anew (a reboot, and a folder that outlived it) or a damaged one there is nothing to go on with.
  bool credible() const { return former_epoch_ns() >= 0 && former_epoch_ns() <= timeline.epoch_ns; }

  // Takes the stations of the former writer, but for those that cannot be; `now_ns` is the fresh timeline's
  // epoch.
  void take_stations(std::int64_t now_ns) {
    const std::int64_t last = timeline.chunk_at(now_ns) + slots;
    for (std::size_t place = 0; place < places; ++place) {
      if (!taken(place)) continue;
      states[place] = checked(entry(place).state.load());
      const auto& state = states[place];
      if (state && state->origin_chunk <= last && ring(place).newest().value_or(0) <= last) continue;
      log_warning("a station that a former synthd left makes no sense, and is given up",
                  {{"place", static_cast<std::int64_t>(place)}});
      close(place);
    }
  }

  void open(std::size_t place, const StationState& state) {
    ring(place).clear();
    states[place] = state;
    entry(place).state.store(state);
    // Release: who sees the generation sees the station's own state and none of its predecessor's chunks.
    entry(place).generation.store(++generations[place], std::memory_order_release);
    table_changed();
  }

  void store_state(std::size_t place, const StationState& state) {
    states[place] = state;
    entry(place).state.store(state);
    table_changed();
  }

  void close(std::size_t place) {
    states[place].reset();
    entry(place).generation.store(++generations[place], std::memory_order_relaxed);
    // Pairs with the acquire fences of readers: who sees anything of the next tenant sees that this one is
    // gone.
    std::atomic_thread_fence(std::memory_order_release);
    table_changed();
  }

  void table_changed() { header().table_version.store(++table_version, std::memory_order_release); }

  // Stores what stands in the header and which station has which place, if it is not there already.
  // Whether something was not.
  bool describe() {
    AudioHeader& h = header();
    bool changed = put(h.epoch_ns, static_cast<std::uint64_t>(timeline.epoch_ns));
    changed |= put(h.sample_rate, timeline.sample_rate);
    changed |= put(h.chunk_frames, timeline.chunk_frames);
    changed |= put(h.channels, timeline.channels);
    changed |= put(h.slots, slots);
    changed |= put(h.places, places);
    changed |= put(h.place_bytes, place_bytes(geometry_of(timeline, slots)));
    changed |= put(h.table_version, table_version);
    for (std::size_t place = 0; place < places; ++place)
      changed |= put(entry(place).generation, generations[place]);
    if (changed) table_changed();
    return changed;
  }

  static bool put(SharedWord& word, std::uint64_t value) {
    if (word.load(std::memory_order_relaxed) == value) return false;
    word.store(value, std::memory_order_release);
    return true;
  }

  // The states of the next `count` places. Whether one was not as it should be.
  bool put_states_right(std::size_t count) {
    bool changed = false;
    for (; count > 0; --count) {
      const std::size_t place = next_checked;
      next_checked = (place + 1) % places;
      if (!states[place]) continue;
      const auto shown = entry(place).state.load();
      if (shown && std::memcmp(&*shown, &*states[place], sizeof *shown) == 0) continue;
      store_state(place, StationState(*states[place]));
      changed = true;
    }
    return changed;
  }

  bool run_housekeeping(std::int64_t now_ns) {
    const bool in_place = segment->in_place();
    const bool lost = !in_place && segment->replace() == SegmentContent::kLost;
    constexpr std::size_t kParts = 8;
    bool overwritten = describe();
    overwritten |= put_states_right(in_place ? (places + kParts - 1) / kParts : places);
    if (in_place && overwritten) segment->report_overwritten();
    if (!in_place) segment->publish(now_ns);
    return lost;
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
std::uint64_t AudioWriter::generation(std::size_t place) const { return impl_->generations.at(place); }

std::optional<StationState> AudioWriter::state(std::size_t place) const { return impl_->states.at(place); }

void AudioWriter::open(std::size_t place, const StationState& state) { impl_->open(place, state); }
void AudioWriter::store_state(std::size_t place, const StationState& state) {
  impl_->store_state(place, state);
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

bool AudioWriter::run_housekeeping(std::int64_t now_ns) { return impl_->run_housekeeping(now_ns); }

}  // namespace auralis
