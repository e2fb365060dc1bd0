// SPDX-License-Identifier: MIT
#include "common/segments/audio_segment.h"

#include "tests/unit/common/segments/audio_support.h"
#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <random>
#include <string_view>
#include <utility>

namespace auralis::audio_segment_test {
namespace {

using test::Child;
using test::fill;
using test::TempDir;
using test::whole;

constexpr Timeline kTimeline{1'000, 44'100, 882, 2};
constexpr std::uint32_t kSlots = 8;
constexpr std::size_t kCapacity = 3;

StationState state_of(std::uint64_t request, std::string_view name = "default") {
  StationState state = named_state(name);
  state.seed = 0xffffffffffffffffULL;
  state.applied_request = request;
  state.open = 1;
  state.history = begun_with(kPresets[0].parameters);
  add_change(state.history, kTimeline, {10, kPresets[1].parameters});
  return state;
}

AudioWriter writer_in(const TempDir& dir, const Timeline& timeline = kTimeline, std::uint32_t slots = kSlots,
                      std::size_t capacity = kCapacity) {
  return {dir.path(), timeline, slots, capacity};
}

StationId place_of(const AudioReader& reader, std::size_t index) { return {index, reader.generation(index)}; }

void write_chunk(AudioWriter& writer, std::size_t station, std::int64_t chunk) {
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  fill(samples, chunk + static_cast<std::int64_t>(station) * 1'000);
  writer.write_chunk(station, chunk, samples.data());
}

bool reads_whole(const AudioReader& reader, std::size_t station, std::int64_t chunk) {
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  return reader.read(place_of(reader, station), chunk, samples.data()) == RingRead::kChunk &&
         whole(samples, chunk + static_cast<std::int64_t>(station) * 1'000);
}

RingRead outcome(const AudioReader& reader, std::int64_t chunk) {
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  return reader.read(place_of(reader, 0), chunk, samples.data());
}

TEST_CASE("a reader finds the timeline, the stations, and each one's chunks and state") {
  const TempDir dir;
  AudioWriter writer = writer_in(dir);
  CHECK_FALSE(writer.taken_over());
  CHECK(writer.capacity() == kCapacity);
  CHECK_FALSE(writer.state(0));
  AudioReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.ready());
  CHECK(reader.capacity() == 0);
  CHECK(reader.generation(0) == 0);
  CHECK(outcome(reader, 0) == RingRead::kWriterGone);

  writer.open(0, state_of(0));
  writer.open(2, state_of(5, "night"));
  for (std::int64_t chunk = 0; chunk < 3; ++chunk) write_chunk(writer, 0, chunk);
  write_chunk(writer, 2, 7);
  writer.publish(1);
  REQUIRE(reader.refresh());
  REQUIRE(reader.ready());
  CHECK(reader.timeline().epoch_ns == 1'000);
  CHECK(reader.timeline().sample_rate == 44'100);
  CHECK(reader.timeline().chunk_frames == 882);
  CHECK(reader.timeline().channels == 2);
  CHECK(reader.slots() == kSlots);
  CHECK(reader.capacity() == kCapacity);
  CHECK(reads_whole(reader, 0, 2));
  CHECK(reads_whole(reader, 2, 7));
  CHECK(reader.newest(place_of(reader, 0)) == 2);
  CHECK(reader.newest(place_of(reader, 2)) == 7);
  CHECK(reader.generation(1) % 2 == 0);
  CHECK_FALSE(reader.state(place_of(reader, 1)));
  const auto night = reader.state(place_of(reader, 2));
  REQUIRE(night);
  CHECK(std::string_view(night->name) == "night");
  CHECK(night->seed == 0xffffffffffffffffULL);
  CHECK(night->applied_request == 5);
  CHECK(night->history.changes[1].chunk == 10);
}

TEST_CASE("stations come, change and go, and a row's next station is not taken for the last one") {
  const TempDir dir;
  AudioWriter writer = writer_in(dir);
  writer.publish(1);
  AudioReader reader(dir.path());
  reader.refresh();
  std::uint64_t version = reader.table_version();
  const auto changed = [&] { return std::exchange(version, reader.table_version()) != version; };

  writer.open(1, state_of(0, "night"));
  CHECK(changed());
  write_chunk(writer, 1, 4);
  const StationId night = place_of(reader, 1);
  CHECK(night.generation % 2 == 1);
  CHECK(reader.newest(night) == 4);
  CHECK_FALSE(changed());
  writer.store_state(1, state_of(7, "night"));
  CHECK(changed());
  CHECK(reader.state(night)->applied_request == 7);

  writer.close(1);
  CHECK(changed());
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  CHECK(reader.read(night, 4, samples.data()) == RingRead::kWriterGone);
  CHECK_FALSE(reader.newest(night));
  CHECK_FALSE(reader.state(night));

  writer.open(1, state_of(0, "day"));
  const StationId day = place_of(reader, 1);
  CHECK(day.generation == night.generation + 2);
  CHECK_FALSE(reader.newest(day));  // none of the night's chunks
  CHECK(reader.read(day, 4, samples.data()) == RingRead::kNotYet);
  CHECK_FALSE(reader.state(night));
}

TEST_CASE("a writer that takes over keeps the epoch, each station's state and its newest chunk") {
  const TempDir dir;
  {
    AudioWriter writer = writer_in(dir);
    writer.open(0, state_of(5));
    writer.open(1, state_of(6, "night"));
    writer.close(1);
    for (std::int64_t chunk = 0; chunk < 20; ++chunk) write_chunk(writer, 0, chunk);
    writer.publish(1);
  }
  AudioReader reader(dir.path());
  reader.refresh();
  const StationId station = place_of(reader, 0);

  Timeline later = kTimeline;
  later.epoch_ns = kTimeline.due_ns(300);
  CHECK(former_capacity(dir.path(), later, kSlots) == kCapacity);
  AudioWriter next = writer_in(dir, later);
  CHECK(next.taken_over());
  CHECK(next.timeline().epoch_ns == kTimeline.epoch_ns);
  REQUIRE(next.state(0));
  CHECK(next.state(0)->applied_request == 5);
  CHECK_FALSE(next.state(1));
  CHECK(next.newest(0) == 19);

  // A reader goes on without a break.
  CHECK(reads_whole(reader, 0, 19));
  write_chunk(next, 0, 20);
  next.publish(2);
  CHECK(reads_whole(reader, 0, 20));
  CHECK(reader.refresh());
  CHECK(reads_whole(reader, 0, 20));
  CHECK(place_of(reader, 0) == station);
}

TEST_CASE("a segment of a restarted clock is not continued; its readers keep what they have") {
  const TempDir dir;
  std::uint64_t generation = 0;
  {
    AudioWriter writer = writer_in(dir);
    writer.open(0, state_of(5));
    write_chunk(writer, 0, 3);
    writer.publish(1);
    generation = writer.generation(0);
  }
  AudioReader before(dir.path());
  before.refresh();
  Timeline now = kTimeline;
  now.epoch_ns = kTimeline.epoch_ns - 2;
  AudioWriter next = writer_in(dir, now);
  CHECK_FALSE(next.taken_over());
  CHECK(next.timeline().epoch_ns == now.epoch_ns);
  CHECK_FALSE(next.state(0));
  next.open(0, state_of(1));
  CHECK_FALSE(next.newest(0));
  CHECK(next.generation(0) != generation);  // a new station is not taken for the old one
  CHECK(reads_whole(before, 0, 3));
  next.publish(2);
  REQUIRE(before.refresh());
  CHECK(before.timeline().epoch_ns == now.epoch_ns);
}

TEST_CASE("a station that cannot be is given up when the segment is taken over, and the others go on") {
  const TempDir dir;
  Timeline now = kTimeline;
  now.epoch_ns = kTimeline.due_ns(300);
  std::uint64_t generation = 0;
  {
    AudioWriter writer = writer_in(dir);
    StationState state = state_of(5);
    writer.open(0, state);
    writer.open(1, state_of(7, "night"));
    write_chunk(writer, 1, 250);
    SUBCASE("a chunk of the far future") { write_chunk(writer, 0, std::int64_t{kSlots} << 40U); }
    SUBCASE("a station of the far future") { state.origin_chunk = 1LL << 39U; }
    SUBCASE("a state that cannot be") { state.history.count = 0; }
    SUBCASE("a station without a name") { state.name[0] = 0; }
    writer.store_state(0, state);
    writer.publish(1);
    generation = writer.generation(0);
  }
  AudioWriter next = writer_in(dir, now);
  CHECK(next.taken_over());
  CHECK_FALSE(next.state(0));
  CHECK(next.generation(0) == generation + 1);
  REQUIRE(next.state(1));
  CHECK(next.state(1)->applied_request == 7);
  CHECK(next.newest(1) == 250);
}

TEST_CASE("changes that are still to come, as a link may have them, are kept") {
  const TempDir dir;
  {
    AudioWriter writer = writer_in(dir);
    StationState state = state_of(5);
    state.history.changes[1].chunk = 1LL << 39U;
    writer.open(0, state);
    writer.publish(1);
  }
  const AudioWriter next = writer_in(dir);
  CHECK(next.taken_over());
  CHECK(next.state(0));
}

TEST_CASE("another geometry or number of rows starts fresh, at the new epoch") {
  const TempDir dir;
  {
    AudioWriter writer = writer_in(dir);
    writer.open(0, state_of(5));
    write_chunk(writer, 0, 3);
    writer.publish(1);
  }
  Timeline timeline = kTimeline;
  timeline.epoch_ns = 999'999;
  std::uint32_t slots = kSlots;
  std::size_t capacity = kCapacity;
  SUBCASE("chunk size") { timeline.chunk_frames = 4'410; }
  SUBCASE("sample rate") { timeline.sample_rate = 48'000; }
  SUBCASE("slots") { slots = 9; }
  SUBCASE("chunk size and slots, of the same bytes in all") {
    timeline.chunk_frames = 1'786;
    slots = 4;
    CHECK(RingGeometry{slots, timeline.chunk_samples()}.bytes() ==
          RingGeometry{kSlots, kTimeline.chunk_samples()}.bytes());
  }
  SUBCASE("number of rows") { --capacity; }
  if (capacity == kCapacity) CHECK_FALSE(former_capacity(dir.path(), timeline, slots));
  const AudioWriter next = writer_in(dir, timeline, slots, capacity);
  CHECK_FALSE(next.taken_over());
  CHECK(next.timeline().epoch_ns == 999'999);
  CHECK_FALSE(next.state(0));
  CHECK_FALSE(next.newest(0));
}

TEST_CASE("a chunk that is missing is not there yet while a writer lives, and gone with the writer") {
  const TempDir dir;
  std::optional<AudioWriter> writer(std::in_place, dir.path(), kTimeline, kSlots, kCapacity);
  writer->open(0, state_of(0));
  write_chunk(*writer, 0, 3);
  write_chunk(*writer, 0, 2 + kSlots);
  writer->publish(1);
  AudioReader reader(dir.path());
  reader.refresh();
  CHECK(outcome(reader, 4) == RingRead::kNotYet);
  writer.reset();
  CHECK(outcome(reader, 4) == RingRead::kWriterGone);
  // What the ring holds is still delivered, and told from what it has lost.
  CHECK(reads_whole(reader, 0, 3));
  CHECK(outcome(reader, 2) == RingRead::kLapped);
}

TEST_CASE(
    "a writer killed in the middle of its work leaves whole chunks only, and its successor goes on from "
    "them") {
  const TempDir dir;
  Child killed([&] {
    AudioWriter writer = writer_in(dir);
    writer.open(0, state_of(0));
    writer.publish(1);
    for (std::int64_t chunk = 0;; ++chunk) {
      writer.store_state(0, state_of(static_cast<std::uint64_t>(chunk)));
      write_chunk(writer, 0, chunk);
    }
    return 0;
  });
  AudioReader reader(dir.path());
  while (reader.newest(place_of(reader, 0)).value_or(0) < 5 * std::int64_t{kSlots}) reader.refresh();
  killed.wait_after(SIGKILL);

  Timeline later = kTimeline;
  later.epoch_ns = kTimeline.due_ns(1'000'000'000);  // it wrote far faster than time passes
  AudioWriter next = writer_in(dir, later);
  REQUIRE(next.taken_over());
  const auto newest = next.newest(0);
  REQUIRE(newest);
  // The slot that it was at work on may be lost; no other.
  for (std::int64_t chunk = *newest - kSlots + 2; chunk <= *newest; ++chunk)
    CHECK(reads_whole(reader, 0, chunk));
  REQUIRE(next.state(0));
  const auto request = static_cast<std::int64_t>(next.state(0)->applied_request);
  CHECK(request >= *newest);
  CHECK(request <= *newest + 1);
  write_chunk(next, 0, *newest + 1);
  CHECK(reads_whole(reader, 0, *newest + 1));
}

// Overwrites word `index` of the payload of the segment in `dir`.
void poke_payload(const TempDir& dir, std::size_t index, std::uint64_t word) {
  test::poke(dir.path() / "audio", sizeof(SegmentHeader) + 8 * index, word);
}

TEST_CASE("a header that makes no sense is refused, with a sentence") {
  const TempDir dir;
  writer_in(dir).publish(1);
  // Words of the header: epoch, rate, frames, channels, slots, rows, stride.
  SUBCASE("no rate") { poke_payload(dir, 1, 0); }
  SUBCASE("a huge chunk") { poke_payload(dir, 2, 1U << 30U); }
  SUBCASE("no frames") { poke_payload(dir, 2, 0); }
  SUBCASE("no channels") { poke_payload(dir, 3, 0); }
  SUBCASE("more slots than there is room for") { poke_payload(dir, 4, 9'999); }
  SUBCASE("no slots") { poke_payload(dir, 4, 0); }
  SUBCASE("a row too many") { poke_payload(dir, 5, kCapacity + 1); }
  SUBCASE("no rows") { poke_payload(dir, 5, 0); }
  SUBCASE("rows beyond counting") { poke_payload(dir, 5, ~std::uint64_t{0}); }
  SUBCASE("another stride") { poke_payload(dir, 6, 64); }
  AudioReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.ready());
  CHECK(reader.describe().find("segment " + (dir.path() / "audio").string() + " ") == 0);
  CHECK(reader.describe().find("is invalid") != std::string::npos);
  CHECK(outcome(reader, 0) == RingRead::kWriterGone);
  CHECK_FALSE(reader.newest({0, 1}));
  CHECK_FALSE(reader.state({0, 1}));
}

TEST_CASE("a state that makes no sense is no state, for readers and for a writer that takes over") {
  const TempDir dir;
  StationState state = state_of(5);
  SUBCASE("no changes") { state.history.count = 0; }
  SUBCASE("more changes than it can hold") { state.history.count = 129; }
  SUBCASE("impossible parameters") { state.history.changes[1].parameters.bpm = 0; }
  SUBCASE("changes out of order") { state.history.changes[1].chunk = 0; }
  SUBCASE("no name") { state.name[0] = 0; }
  SUBCASE("a name without an end") { state.name[kStationNameBytes - 1] = 'x'; }
  SUBCASE("neither personal nor configured") { state.personal = 2; }
  SUBCASE("neither open nor not") { state.open = 2; }
  {
    AudioWriter writer = writer_in(dir);
    writer.open(0, state);
    writer.publish(1);
  }
  AudioReader reader(dir.path());
  reader.refresh();
  REQUIRE(reader.ready());
  CHECK_FALSE(reader.state(place_of(reader, 0)));
  CHECK_FALSE(writer_in(dir).state(0));
}

TEST_CASE("random bytes in a segment never crash a reader") {
  const TempDir dir;
  {
    AudioWriter writer = writer_in(dir);
    writer.open(0, state_of(5));
    write_chunk(writer, 0, 7);
    writer.publish(1);
  }
  const std::string good = test::read_file(dir.path() / "audio");
  std::mt19937_64 random(2);
  for (int round = 0; round < 1'000; ++round) {
    std::string bytes = good;
    // Half the rounds hit the headers, which stand first.
    const std::size_t range = round % 2 == 0 ? sizeof(SegmentHeader) + 256 : bytes.size();
    for (std::uint64_t hits = random() % 64; hits > 0; --hits) {
      bytes[random() % range] = static_cast<char>(random());
    }
    test::write_file(dir.path() / "audio", bytes);
    AudioReader reader(dir.path());
    reader.refresh();
    if (!reader.ready()) continue;
    std::vector<std::int16_t> samples(reader.timeline().chunk_samples());
    for (std::size_t index = 0; index < reader.capacity(); ++index) {
      const StationId station = place_of(reader, index);
      reader.state(station);
      const auto newest = reader.newest(station);
      reader.read(station, newest.value_or(0), samples.data());
    }
  }
}

TEST_CASE(
    "a writer whose file was removed goes on in a copy: no chunk is lost, and readers stay where they are") {
  const TempDir dir;
  AudioWriter writer = writer_in(dir);
  writer.open(1, state_of(3));
  write_chunk(writer, 1, 10);
  writer.publish(1'000);
  AudioReader reader(dir.path());
  reader.refresh();
  const StationId place = place_of(reader, 1);
  std::filesystem::remove(dir.path() / "audio");
  CHECK_FALSE(reader.refresh());
  write_chunk(writer, 1, 11);
  CHECK(reads_whole(reader, 1, 11));
  CHECK_FALSE(writer.run_housekeeping(2'000));
  write_chunk(writer, 1, 12);
  CHECK(reader.refresh());
  REQUIRE(reader.ready());
  CHECK(place_of(reader, 1) == place);
  CHECK(reader.timeline() == kTimeline);
  for (const std::int64_t chunk : {10, 11, 12}) CHECK(reads_whole(reader, 1, chunk));
  CHECK(reader.state(place)->applied_request == 3);
}

TEST_CASE(
    "of a file that was cut short the table comes back, and the writer is told that the chunks are lost") {
  const TempDir dir;
  AudioWriter writer = writer_in(dir);
  writer.open(1, state_of(3));
  write_chunk(writer, 1, 10);
  writer.publish(1'000);
  AudioReader reader(dir.path());
  reader.refresh();
  const StationId place = place_of(reader, 1);
  std::filesystem::resize_file(dir.path() / "audio", 0);
  write_chunk(writer, 1, 11);  // into nothing
  CHECK(outcome(reader, 10) != RingRead::kChunk);
  CHECK(writer.run_housekeeping(2'000));
  CHECK(reader.refresh());
  CHECK(place_of(reader, 1) == place);
  CHECK(reader.timeline() == kTimeline);
  CHECK(reader.state(place)->applied_request == 3);
  CHECK_FALSE(reader.newest(place));
  write_chunk(writer, 1, 12);
  CHECK(reads_whole(reader, 1, 12));
}

TEST_CASE("what another process wrote over in the table is put right, and readers are told") {
  const TempDir dir;
  AudioWriter writer = writer_in(dir);
  writer.open(0, state_of(3));
  writer.publish(1'000);
  std::mt19937_64 random(1);
  // The header, and the station's entry before its ring.
  for (std::uint64_t offset = 64; offset < 64 + 64 + 8'000; offset += 8)
    test::poke(dir.path() / "audio", offset, random());
  AudioReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.ready());
  for (int tenth = 0; tenth < 10; ++tenth) CHECK_FALSE(writer.run_housekeeping(2'000 + tenth));
  AudioReader fresh(dir.path());
  fresh.refresh();
  REQUIRE(fresh.ready());
  CHECK(fresh.timeline() == kTimeline);
  REQUIRE(fresh.state(place_of(fresh, 0)));
  CHECK(fresh.state(place_of(fresh, 0))->applied_request == 3);
  const std::uint64_t version = fresh.table_version();
  for (int tenth = 0; tenth < 10; ++tenth) writer.run_housekeeping(3'000 + tenth);
  CHECK(fresh.table_version() == version);
}

TEST_CASE("a state that no writer stores is none: names are of a-z, 0-9, _ and - alone") {
  for (const char* name : {"\xff\xfe", "Night", "a b", "n\nx", "\xc3\xa9"}) {
    CAPTURE(name);
    const TempDir dir;
    AudioWriter writer = writer_in(dir);
    writer.open(0, state_of(1, name));
    writer.publish(1'000);
    AudioReader reader(dir.path());
    reader.refresh();
    CHECK_FALSE(reader.state(place_of(reader, 0)));
  }
}

}  // namespace
}  // namespace auralis::audio_segment_test
