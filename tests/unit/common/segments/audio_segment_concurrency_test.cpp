// SPDX-License-Identifier: MIT
// The same through the real segments: what one thread writes into its mapping, another reads out of its own.
#include "common/segments/audio_segment.h"
#include "common/segments/control_segment.h"

#include "tests/unit/common/segments/audio_support.h"
#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace auralis::audio_segment_concurrency_test {
namespace {

constexpr Timeline kTimeline{0, 44'100, 882, 2};
constexpr std::uint32_t kSlots = 5;
constexpr std::int64_t kChunks = 5'000;

// A state whose every part tells the chunk that it was stored for.
StationState state_of(std::int64_t chunk) {
  StationState state = named_state("default");
  state.applied_request = static_cast<std::uint64_t>(chunk);
  state.history.count = static_cast<std::uint32_t>(state.history.changes.size());
  std::int64_t next = chunk;
  for (ParameterChange& change : state.history.changes) change.chunk = next++;
  return state;
}

bool whole(const StationState& state) {
  auto next = static_cast<std::int64_t>(state.applied_request);
  bool same = true;
  for (const ParameterChange& change : state.history.changes) same = same && change.chunk == next++;
  return same;
}

struct Tally {
  std::int64_t torn = 0;
  std::int64_t gone = 0;
  std::int64_t state_behind = 0;
};

Tally read_until_last(const std::filesystem::path& directory) {
  Tally tally;
  AudioReader reader(directory);
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  for (bool done = false; !done;) {
    reader.refresh();
    const StationId station{0, reader.generation(0)};
    const std::int64_t newest = reader.newest(station).value_or(0);
    for (std::int64_t chunk = std::max<std::int64_t>(newest - kSlots + 1, 0); chunk <= newest + 1; ++chunk) {
      const RingRead outcome = reader.read(station, chunk, samples.data());
      if (outcome == RingRead::kWriterGone) ++tally.gone;
      if (outcome != RingRead::kChunk) continue;
      if (!test::whole(samples, chunk)) ++tally.torn;
      done = chunk == kChunks - 1;
      // Stored before its chunk; nothing where the writer overtook the reading time and again.
      const auto state = reader.state(station);
      if (state && !whole(*state)) ++tally.torn;
      if (state && static_cast<std::int64_t>(state->applied_request) < chunk) ++tally.state_behind;
    }
  }
  return tally;
}

TEST_CASE("chunks and states that go through a segment arrive whole, a state no later than its chunk") {
  const test::TempDir dir;
  AudioWriter audio(dir.path(), kTimeline, kSlots, 1);
  audio.open(0, state_of(0));
  audio.publish(1);
  std::array<Tally, 2> tallies;
  std::vector<std::thread> readers;
  readers.reserve(tallies.size());
  for (Tally& tally : tallies) {
    readers.emplace_back([&] { tally = read_until_last(dir.path()); });
  }
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  for (std::int64_t chunk = 0; chunk < kChunks; ++chunk) {
    test::fill(samples, chunk);
    audio.store_state(0, state_of(chunk));
    audio.write_chunk(0, chunk, samples.data());
    audio.beat(chunk);
  }
  for (auto& reader : readers) reader.join();
  for (const Tally& tally : tallies) {
    CHECK(tally.torn == 0);
    CHECK(tally.gone == 0);
    CHECK(tally.state_behind == 0);
  }
}

TEST_CASE("a station that leaves and another that takes its place are never mixed up by a reader") {
  const test::TempDir dir;
  // Chunks so small that a station comes and goes while a reader looks away, and more readers than
  // processors, so that they often do.
  constexpr Timeline kShort{0, 44'100, 8, 2};
  constexpr int kReaders = 6;
  constexpr int kRounds = 50'000;
  AudioWriter audio(dir.path(), kShort, 1, 1);
  audio.publish(1);
  std::atomic<bool> done{false};
  std::atomic<std::int64_t> mixed{0};
  std::atomic<int> that_read{0};
  const auto read = [&] {
    AudioReader reader(dir.path());
    reader.refresh();
    std::vector<std::int16_t> samples(kShort.chunk_samples());
    for (std::int64_t seen = 0; !done || seen == 0;) {
      const StationId station{0, reader.generation(0)};
      // The station of generation g writes chunk 3 with what chunk g of others would hold, and has g as its
      // request.
      const bool is_read = reader.read(station, 3, samples.data()) == RingRead::kChunk;
      if (is_read && !test::whole(samples, static_cast<std::int64_t>(station.generation))) ++mixed;
      const auto state = seen % 16 == 0 ? reader.state(station) : std::nullopt;
      if (state && state->applied_request != station.generation) ++mixed;
      if (is_read && seen++ == 0) ++that_read;
    }
  };
  std::vector<std::thread> readers;
  readers.reserve(kReaders);
  for (int i = 0; i < kReaders; ++i) readers.emplace_back(read);
  std::vector<std::int16_t> samples(kShort.chunk_samples());
  for (int round = 0; round < kRounds || that_read < kReaders; ++round) {
    const std::uint64_t generation = audio.generation(0) + 1;
    StationState state = state_of(0);
    state.applied_request = generation;
    audio.open(0, state);
    test::fill(samples, static_cast<std::int64_t>(generation));
    for (int again = 0; again < 30; ++again) audio.write_chunk(0, 3, samples.data());
    audio.close(0);
  }
  done = true;
  for (auto& reader : readers) reader.join();
  CHECK(mixed == 0);
}

TEST_CASE("requests that go through a segment arrive whole and in order, the newest at last") {
  constexpr std::uint64_t kRequests = 100'000;
  const test::TempDir dir;
  ControlWriter control(dir.path(), 1);
  std::uint64_t mixed = 0;
  std::uint64_t backwards = 0;
  std::thread poller([&] {
    ControlReader reader(dir.path());
    reader.refresh();
    std::uint64_t last = 0;
    while (last < kRequests) {
      const auto request = reader.request(7);
      if (!request) continue;
      if (request->history.changes[0].parameters.bpm != static_cast<float>(40 + request->number % 80))
        ++mixed;
      if (request->number < last) ++backwards;
      last = request->number;
    }
  });
  for (std::uint64_t number = 1; number <= kRequests; ++number) {
    ControlRequest request;
    request.number = number;
    request.history.count = 1;
    request.history.changes[0].parameters.bpm = static_cast<float>(40 + number % 80);
    control.store(7, request);
  }
  poller.join();
  CHECK(mixed == 0);
  CHECK(backwards == 0);
}

}  // namespace
}  // namespace auralis::audio_segment_concurrency_test
