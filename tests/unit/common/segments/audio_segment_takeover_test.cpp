// SPDX-License-Identifier: MIT
// How a writer continues what another left, and what it repairs of its own.
#include "common/segments/audio_segment.h"

#include "tests/unit/common/segments/audio_segment_support.h"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <random>

namespace auralis::audio_segment_takeover_test {
namespace {

using test::Child;
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
  const StationId station = station_at(reader, 0);

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
  CHECK(station_at(reader, 0) == station);
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
  while (reader.newest(station_at(reader, 0)).value_or(0) < 5 * std::int64_t{kSlots}) reader.refresh();
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

TEST_CASE(
    "a writer whose file was removed goes on in a copy: no chunk is lost, and readers stay where they are") {
  const TempDir dir;
  AudioWriter writer = writer_in(dir);
  writer.open(1, state_of(3));
  write_chunk(writer, 1, 10);
  writer.publish(1'000);
  AudioReader reader(dir.path());
  reader.refresh();
  const StationId station = station_at(reader, 1);
  std::filesystem::remove(dir.path() / "audio");
  CHECK_FALSE(reader.refresh());
  write_chunk(writer, 1, 11);
  CHECK(reads_whole(reader, 1, 11));
  CHECK_FALSE(writer.run_housekeeping(2'000));
  write_chunk(writer, 1, 12);
  CHECK(reader.refresh());
  REQUIRE(reader.ready());
  CHECK(station_at(reader, 1) == station);
  CHECK(reader.timeline() == kTimeline);
  for (const std::int64_t chunk : {10, 11, 12}) CHECK(reads_whole(reader, 1, chunk));
  CHECK(reader.state(station)->applied_request == 3);
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
  const StationId station = station_at(reader, 1);
  std::filesystem::resize_file(dir.path() / "audio", 0);
  write_chunk(writer, 1, 11);  // into nothing
  CHECK(outcome(reader, 10) != RingRead::kChunk);
  CHECK(writer.run_housekeeping(2'000));
  CHECK(reader.refresh());
  CHECK(station_at(reader, 1) == station);
  CHECK(reader.timeline() == kTimeline);
  CHECK(reader.state(station)->applied_request == 3);
  CHECK_FALSE(reader.newest(station));
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
  REQUIRE(fresh.state(station_at(fresh, 0)));
  CHECK(fresh.state(station_at(fresh, 0))->applied_request == 3);
  const std::uint64_t version = fresh.table_version();
  for (int tenth = 0; tenth < 10; ++tenth) writer.run_housekeeping(3'000 + tenth);
  CHECK(fresh.table_version() == version);
}

}  // namespace
}  // namespace auralis::audio_segment_takeover_test
