// SPDX-License-Identifier: MIT
// Tests of readers: what they find of a writer's stations, and what they refuse.
#include "common/segments/audio_segment.h"

#include "tests/unit/common/segments/audio_segment_support.h"

#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <string_view>
#include <utility>

namespace auralis::audio_segment_test {
namespace {

using test::kCapacity;
using test::kSlots;
using test::kTimeline;
using test::outcome;
using test::reads_whole;
using test::state_of;
using test::station_at;
using test::TempDir;
using test::write_chunk;
using test::writer_in;

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
  CHECK(reader.newest(station_at(reader, 0)) == 2);
  CHECK(reader.newest(station_at(reader, 2)) == 7);
  CHECK(reader.generation(1) % 2 == 0);
  CHECK_FALSE(reader.state(station_at(reader, 1)));
  const auto night = reader.state(station_at(reader, 2));
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
  const StationId night = station_at(reader, 1);
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
  const StationId day = station_at(reader, 1);
  CHECK(day.generation == night.generation + 2);
  CHECK_FALSE(reader.newest(day));  // none of the night's chunks
  CHECK(reader.read(day, 4, samples.data()) == RingRead::kNotYet);
  CHECK_FALSE(reader.state(night));
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
  // Chunks that the ring holds are still delivered, and distinguished from those it has lost.
  CHECK(reads_whole(reader, 0, 3));
  CHECK(outcome(reader, 2) == RingRead::kLapped);
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
  CHECK_FALSE(reader.state(station_at(reader, 0)));
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
      const StationId station = station_at(reader, index);
      reader.state(station);
      const auto newest = reader.newest(station);
      reader.read(station, newest.value_or(0), samples.data());
    }
  }
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
    CHECK_FALSE(reader.state(station_at(reader, 0)));
  }
}

}  // namespace
}  // namespace auralis::audio_segment_test
