// SPDX-License-Identifier: MIT
#include "common/audio_segment.h"

#include "audio_support.h"
#include "support.h"

#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <random>

namespace auralis {
namespace {

using test::Child;
using test::fill;
using test::TempDir;
using test::whole;

constexpr Timeline kTimeline{1'000, 44'100, 882, 2};
constexpr std::uint32_t kSlots = 8;
const std::vector<StationInfo> stations{{"default", 1}, {"night", 0xffffffffffffffffULL}};

StationState state_of(std::uint64_t request) {
  StationState state;
  state.applied_request = request;
  state.target = kPresets[1].parameters;
  state.bar_count = 2;
  state.level_count = 1;
  state.levels[0].levels = kPresets[0].parameters;
  state.bars[0] = {10, 0, 176'400, kPresets[0].parameters};
  state.bars[1] = {11, 176'400, 211'680, kPresets[1].parameters};
  return state;
}

AudioWriter writer_in(const TempDir& dir, const Timeline& timeline = kTimeline, std::uint32_t slots = kSlots,
                      const std::vector<StationInfo>& infos = stations) {
  return {dir.path(), timeline, slots, infos};
}

void write_chunk(AudioWriter& writer, std::size_t station, std::int64_t chunk) {
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  fill(samples, chunk + static_cast<std::int64_t>(station) * 1'000);
  writer.write_chunk(station, chunk, samples.data());
}

bool reads_whole(const AudioReader& reader, std::size_t station, std::int64_t chunk) {
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  return reader.read(station, chunk, samples.data()) == RingRead::kChunk &&
         whole(samples, chunk + static_cast<std::int64_t>(station) * 1'000);
}

RingRead outcome(const AudioReader& reader, std::int64_t chunk) {
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  return reader.read(0, chunk, samples.data());
}

TEST_CASE("a reader finds the timeline, the stations, and each one's chunks and state") {
  const TempDir dir;
  AudioWriter writer = writer_in(dir);
  CHECK_FALSE(writer.taken_over());
  CHECK_FALSE(writer.state(0));
  CHECK_FALSE(writer.newest(0));
  AudioReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.ready());
  CHECK(outcome(reader, 0) == RingRead::kWriterGone);

  writer.store_state(1, state_of(5));
  for (std::int64_t chunk = 0; chunk < 3; ++chunk) write_chunk(writer, 0, chunk);
  write_chunk(writer, 1, 7);
  writer.publish(1);
  REQUIRE(reader.refresh());
  REQUIRE(reader.ready());
  CHECK(reader.timeline().epoch_ns == 1'000);
  CHECK(reader.timeline().sample_rate == 44'100);
  CHECK(reader.timeline().chunk_frames == 882);
  CHECK(reader.timeline().channels == 2);
  CHECK(reader.slots() == kSlots);
  REQUIRE(reader.stations().size() == 2);
  CHECK(reader.stations()[0].name == "default");
  CHECK(reader.stations()[1].name == "night");
  CHECK(reader.stations()[1].seed == 0xffffffffffffffffULL);
  CHECK(reads_whole(reader, 0, 2));
  CHECK(reads_whole(reader, 1, 7));
  CHECK(reader.newest(0) == 2);
  CHECK(reader.newest(1) == 7);
  CHECK_FALSE(reader.state(0));
  REQUIRE(reader.state(1));
  CHECK(reader.state(1)->applied_request == 5);
  CHECK(reader.state(1)->bars[1].start_frame == 176'400);
}

TEST_CASE("a writer that takes over keeps the epoch, each station's state and its newest chunk") {
  const TempDir dir;
  {
    AudioWriter writer = writer_in(dir);
    writer.store_state(0, state_of(5));
    for (std::int64_t chunk = 0; chunk < 20; ++chunk) write_chunk(writer, 0, chunk);
    writer.publish(1);
  }
  AudioReader reader(dir.path());
  reader.refresh();

  Timeline later = kTimeline;
  later.epoch_ns = kTimeline.due_ns(300);
  AudioWriter next = writer_in(dir, later);
  CHECK(next.taken_over());
  CHECK(next.timeline().epoch_ns == kTimeline.epoch_ns);
  REQUIRE(next.state(0));
  CHECK(next.state(0)->applied_request == 5);
  CHECK_FALSE(next.state(1));
  CHECK(next.newest(0) == 19);
  CHECK_FALSE(next.newest(1));

  // A reader goes on without a break.
  CHECK(reads_whole(reader, 0, 19));
  write_chunk(next, 0, 20);
  next.publish(2);
  CHECK(reads_whole(reader, 0, 20));
  CHECK(reader.refresh());
  CHECK(reads_whole(reader, 0, 20));
}

TEST_CASE("content that cannot have been written by now is not gone on with, but begins anew") {
  const TempDir dir;
  Timeline now = kTimeline;
  now.epoch_ns = kTimeline.due_ns(300);
  {
    AudioWriter writer = writer_in(dir);
    StationState state = state_of(5);
    SUBCASE("a clock that began anew") { now.epoch_ns = kTimeline.epoch_ns - 1; }
    SUBCASE("a chunk of the far future") { write_chunk(writer, 0, std::int64_t{kSlots} << 40U); }
    SUBCASE("a bar of the far future") { state.bars[1].start_frame = state.bars[0].start_frame = 1LL << 60U; }
    SUBCASE("bars with a gap") { state.bars[1].start_frame += 1; }
    writer.store_state(0, state);
    writer.publish(1);
  }
  AudioWriter next = writer_in(dir, now);
  CHECK_FALSE(next.taken_over());
  CHECK(next.timeline().epoch_ns == now.epoch_ns);
  CHECK_FALSE(next.state(0));
  CHECK_FALSE(next.newest(0));
  next.publish(2);
  AudioReader reader(dir.path());
  reader.refresh();
  CHECK(reader.ready());
  CHECK(reader.timeline().epoch_ns == now.epoch_ns);
}

TEST_CASE("another geometry or station table starts fresh, at the new epoch") {
  const TempDir dir;
  {
    AudioWriter writer = writer_in(dir);
    writer.store_state(0, state_of(5));
    write_chunk(writer, 0, 3);
    writer.publish(1);
  }
  Timeline timeline = kTimeline;
  timeline.epoch_ns = 999'999;
  std::uint32_t slots = kSlots;
  std::vector<StationInfo> infos = stations;
  SUBCASE("chunk size") { timeline.chunk_frames = 4'410; }
  SUBCASE("sample rate") { timeline.sample_rate = 48'000; }
  SUBCASE("slots") { slots = 9; }
  SUBCASE("chunk size and slots, of the same bytes in all") {
    timeline.chunk_frames = 1'786;
    slots = 4;
    CHECK(RingGeometry{slots, timeline.chunk_samples()}.bytes() ==
          RingGeometry{kSlots, kTimeline.chunk_samples()}.bytes());
  }
  SUBCASE("a station's name") { infos[0].name = "other"; }
  SUBCASE("a station's seed") { infos[0].seed = 2; }
  SUBCASE("number of stations") { infos.pop_back(); }
  const AudioWriter next = writer_in(dir, timeline, slots, infos);
  CHECK_FALSE(next.taken_over());
  CHECK(next.timeline().epoch_ns == 999'999);
  CHECK_FALSE(next.state(0));
  CHECK_FALSE(next.newest(0));
}

TEST_CASE("a chunk that is missing is not there yet while a writer lives, and gone with the writer") {
  const TempDir dir;
  std::optional<AudioWriter> writer(std::in_place, dir.path(), kTimeline, kSlots, stations);
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
    writer.publish(1);
    for (std::int64_t chunk = 0;; ++chunk) {
      writer.store_state(0, state_of(static_cast<std::uint64_t>(chunk)));
      write_chunk(writer, 0, chunk);
    }
    return 0;
  });
  AudioReader reader(dir.path());
  while (reader.newest(0).value_or(0) < 5 * std::int64_t{kSlots}) reader.refresh();
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
  // Words of the header: epoch, rate, frames, channels, slots, stations, stride.
  SUBCASE("no rate") { poke_payload(dir, 1, 0); }
  SUBCASE("a huge chunk") { poke_payload(dir, 2, 1U << 30U); }
  SUBCASE("no frames") { poke_payload(dir, 2, 0); }
  SUBCASE("no channels") { poke_payload(dir, 3, 0); }
  SUBCASE("more slots than there is room for") { poke_payload(dir, 4, 9'999); }
  SUBCASE("no slots") { poke_payload(dir, 4, 0); }
  SUBCASE("a station too many") { poke_payload(dir, 5, 3); }
  SUBCASE("stations beyond counting") { poke_payload(dir, 5, ~std::uint64_t{0}); }
  SUBCASE("another stride") { poke_payload(dir, 6, 64); }
  AudioReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.ready());
  CHECK(reader.describe().find("segment " + (dir.path() / "audio").string() + " ") == 0);
  CHECK(reader.describe().find("makes no sense") != std::string::npos);
  CHECK(outcome(reader, 0) == RingRead::kWriterGone);
  CHECK_FALSE(reader.newest(0));
  CHECK_FALSE(reader.state(0));
}

TEST_CASE("a state that makes no sense is no state, for readers and for a writer that takes over") {
  const TempDir dir;
  StationState state = state_of(5);
  SUBCASE("more bars than it can hold") {
    for (BarRecord& bar : state.bars) bar = state.bars[0];
    state.bar_count = StationState::kBars + 1;
  }
  SUBCASE("a bar without length") { state.bars[1].frames = 0; }
  SUBCASE("a bar of impossible parameters") { state.bars[0].parameters.bpm = 0; }
  SUBCASE("an impossible target") { state.target.key = 12; }
  SUBCASE("impossible levels") { state.levels[0].levels.intensity = 2; }
  SUBCASE("no levels") { state.level_count = 0; }
  SUBCASE("more levels than it can hold") { state.level_count = StationState::kLevelChanges + 1; }
  SUBCASE("changes out of order") { state.level_count = 2; }
  {
    AudioWriter writer = writer_in(dir);
    writer.store_state(0, state);
    writer.publish(1);
  }
  AudioReader reader(dir.path());
  reader.refresh();
  REQUIRE(reader.ready());
  CHECK_FALSE(reader.state(0));
  CHECK_FALSE(writer_in(dir).state(0));
}

TEST_CASE("random bytes in a segment never crash a reader") {
  const TempDir dir;
  writer_in(dir).publish(1);
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
    for (std::size_t station = 0; station < reader.stations().size(); ++station) {
      reader.state(station);
      const auto newest = reader.newest(station);
      reader.read(station, newest.value_or(0), samples.data());
    }
  }
}

}  // namespace
}  // namespace auralis
