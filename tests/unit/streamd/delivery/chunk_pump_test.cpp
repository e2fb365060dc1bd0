// SPDX-License-Identifier: MIT
// Tests of chunks that are read ahead and encoded: chunk_pump_ahead_test.cpp.
#include "streamd/delivery/chunk_pump.h"

#include <doctest/doctest.h>

#include "tests/unit/streamd/delivery/delivery_support.h"

namespace auralis::chunk_pump_test {
namespace {

using test::kChunkNs;
using test::kPrefill;
using Fixture = test::DeliveryFixture;

TEST_CASE_FIXTURE(Fixture, "before synthd is there nothing is sent and nothing counted") {
  run_until(clock.now + kNsPerSecond);
  CHECK_FALSE(pump.has_timeline());
  CHECK(underruns() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a synthd that is still filling its ring is not late") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  run_until(epoch_ns + 3 * kChunkNs);
  CHECK_FALSE(pump.has_timeline());
  CHECK(underruns() == 0);
  synth.write(0, 9);
  run_until(epoch_ns + 5 * kChunkNs);
  CHECK(pump.flowing());
  CHECK(underruns() == 0);
}

TEST_CASE_FIXTURE(
    Fixture,
    "chunks are due exactly a chunk apart, however long their thread waits between two looks at the clock") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 9);
  refresh();
  add(1);
  for (int chunk = 1; chunk < 8; ++chunk) {
    clock.each_look_ns = 7'000 * (chunk % 3);
    run_until(epoch_ns + chunk * kChunkNs);
  }
  std::vector<std::int64_t> due_us;
  for (const auto& message : transport.sent[1]) {
    std::int64_t timestamp = 0;  // behind magic, codec, channels, flags and number
    payload_of(*message).copy(reinterpret_cast<char*>(&timestamp), sizeof timestamp, 16);
    due_us.push_back(timestamp);
  }
  REQUIRE(due_us.size() > 3);
  for (std::size_t i = 1; i < due_us.size(); ++i) CHECK(due_us[i] - due_us[i - 1] == kChunkNs / 1'000);
}

TEST_CASE_FIXTURE(Fixture, "a missing chunk becomes silence, once, and the sequence goes on") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 5);
  refresh();
  add(1);
  run_until(epoch_ns + 7 * kChunkNs);
  CHECK(underruns() == 2);
  CHECK_FALSE(pump.flowing());
  synth.write(8, 15);
  run_until(epoch_ns + 10 * kChunkNs);
  CHECK(pump.flowing());
  CHECK(seqs(1) == std::vector<std::int64_t>{2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(underruns() == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "a hole of silence is reported when it begins, and with its chunks when it is over") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 5);
  refresh();
  add(1);
  run_until(epoch_ns + 7 * kChunkNs);
  auto holes = pump.take_holes();
  REQUIRE(holes.size() == 1);
  CHECK(holes[0].name == "default");
  CHECK_FALSE(holes[0].hole.over);
  CHECK(holes[0].hole.first == 6);
  synth.write(8, 15);
  run_until(epoch_ns + 10 * kChunkNs);
  synth.write(16, 23);
  run_until(epoch_ns + 20 * kChunkNs);
  holes = pump.take_holes();
  REQUIRE(holes.size() == 1);
  CHECK(holes[0].hole.over);
  CHECK(holes[0].hole.cause == HoleCause::kUnderrun);
  CHECK(holes[0].hole.first == 6);
  CHECK(holes[0].hole.missing == static_cast<std::int64_t>(underruns()));
  CHECK(pump.take_holes().empty());
}

TEST_CASE_FIXTURE(Fixture, "a station that synthd has ended has no hole") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  refresh();
  add(1);
  run_until(epoch_ns + 4 * kChunkNs);
  synth.writer().close(station.index);
  run_until(epoch_ns + 7 * kChunkNs);
  CHECK(underruns() > 0);
  CHECK(pump.take_holes().empty());
}

TEST_CASE_FIXTURE(Fixture, "a hole of a station that is removed is over") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 5);
  refresh();
  add(1);
  run_until(epoch_ns + 7 * kChunkNs);
  CHECK(pump.take_holes().size() == 1);
  pump.remove(station);
  const auto holes = pump.take_holes();
  REQUIRE(holes.size() == 1);
  CHECK(holes[0].hole.over);
  CHECK(holes[0].hole.missing == 2);
}

TEST_CASE_FIXTURE(Fixture, "a lapped pump skips to the live position and counts one overrun") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 8);
  refresh();
  add(1);
  run_until(epoch_ns + 2 * kChunkNs);
  clock.now = epoch_ns + 40 * kChunkNs;
  synth.write(9, 47);
  run_until(epoch_ns + 43 * kChunkNs);
  CHECK(own.sample("ring_buffer_overruns_total").value == 1);
  CHECK(underruns() == 0);
  CHECK(seqs(1) == std::vector<std::int64_t>{2, 42, 43});
  const auto holes = pump.take_holes();
  REQUIRE(holes.size() == 1);
  CHECK(holes[0].hole.over);
  CHECK(holes[0].hole.cause == HoleCause::kOverrun);
  CHECK(holes[0].hole.first == 3);
  CHECK(holes[0].hole.missing == 39);
}

TEST_CASE_FIXTURE(Fixture, "a long pause is not followed by a burst of silence") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 8);
  refresh();
  add(1);
  run_until(epoch_ns + 2 * kChunkNs);
  clock.now = epoch_ns + 200 * kChunkNs;
  run_until(epoch_ns + 203 * kChunkNs);
  CHECK(own.sample("ring_buffer_overruns_total").value == 1);
  CHECK(seqs(1).size() < 8);
  CHECK(pump.take_holes().front().hole.cause == HoleCause::kBehind);
}

TEST_CASE_FIXTURE(Fixture, "the depth is the newest chunk's end less now") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 7);
  refresh();
  run_until(epoch_ns + 1);
  CHECK(pump.depth_ms(station) == doctest::Approx(800.0));
  run_until(epoch_ns + 5 * kChunkNs + 1);
  CHECK(pump.depth_ms(station) == doctest::Approx(300.0));
}

TEST_CASE_FIXTURE(Fixture, "a synthd that takes its segment over is followed without a gap") {
  {
    test::FakeSynth synth(folder.path(), epoch_ns);
    synth.write(0, 7);
    refresh();
    add(1);
    run_until(epoch_ns + 3 * kChunkNs);
  }
  test::FakeSynth again(folder.path(), epoch_ns + 12345);
  CHECK(again.writer().taken_over());
  again.write(8, 12);
  run_until(epoch_ns + 10 * kChunkNs);
  CHECK(seqs(1) == std::vector<std::int64_t>{2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(underruns() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "a synthd with a new timeline is followed in every format, whatever its chunk numbers") {
  {
    test::FakeSynth synth(folder.path(), epoch_ns);
    synth.write(0, 19);
    refresh();
    add(1);
    add(2, station, 0, WireFormat::kOpus);
    run_until(epoch_ns + 15 * kChunkNs);
  }
  const std::size_t heard = seqs(1).size();
  CHECK(seqs(2) == seqs(1));
  for (const auto& file : std::filesystem::directory_iterator(folder.path()))
    std::filesystem::remove_all(file);
  test::FakeSynth again(folder.path(), clock.now);
  CHECK_FALSE(again.writer().taken_over());
  run_until(clock.now + 2 * kChunkNs);  // it is there, and its ring is still empty
  again.write(0, 9);
  run_until(clock.now + 5 * kChunkNs);
  for (const ConnectionId id : {1, 2}) {
    CAPTURE(id);
    const auto numbers = seqs(id);
    CHECK(std::count(numbers.begin() + static_cast<std::ptrdiff_t>(heard), numbers.end(), 4) == 1);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "each listener hears its own station, and a later station from its first chunks on") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  refresh();
  add(1);
  run_until(epoch_ns + 5 * kChunkNs);
  StationState own_state = named_state("p1");
  own_state.personal = 1;
  const StationId personal = synth.open(2, own_state);
  pump.add(personal, "p1", false, own.metrics.personal);
  synth.write(3, 5, 2);
  run_until(epoch_ns + 6 * kChunkNs);
  CHECK_FALSE(pump.plays(personal));  // its ring is still being filled
  synth.write(6, 15, 2);
  refresh();
  REQUIRE(pump.plays(personal));
  add(2, personal, kPrefill);
  run_until(epoch_ns + 10 * kChunkNs);
  REQUIRE(seqs(2).size() > 4);
  CHECK(seqs(2).back() == 10);
  CHECK(seqs(2).front() < 7);  // of the past
  CHECK(seqs(1) == std::vector<std::int64_t>{2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(own.sample("ring_buffer_underruns_total", "personal").value == 0);

  // It is counted apart, and not at all while it has no listener.
  run_until(epoch_ns + 17 * kChunkNs);
  const double missed = own.sample("ring_buffer_underruns_total", "personal").value;
  CHECK(missed > 0);
  CHECK(underruns() == 0);
  listeners.remove(queues, 2);
  subscriptions.remove(2);
  run_until(epoch_ns + 19 * kChunkNs);
  CHECK(own.sample("ring_buffer_underruns_total", "personal").value == missed);
}

TEST_CASE_FIXTURE(Fixture, "a station is not taken for the one that had its index before") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  const StationId first = synth.open(1, named_state("a"));
  synth.write(0, 19, 1);
  refresh();
  pump.add(first, "a", true, own.metrics.configured[1]);
  add(1, first);
  run_until(epoch_ns + 4 * kChunkNs);
  const std::size_t heard = seqs(1).size();
  CHECK(heard > 1);
  synth.writer().close(1);
  const StationId second = synth.open(1, named_state("b"));
  synth.write(0, 19, 1);
  pump.add(second, "b", true, own.metrics.configured[1]);
  run_until(epoch_ns + 8 * kChunkNs);
  // A listener of the first still gets silence, without a gap in the numbers.
  CHECK(seqs(1).size() == heard + 4);
  CHECK(payload_of(*transport.sent[1].back()).find_first_not_of('\0', 32) == std::string_view::npos);
  CHECK(pump.plays(second));
  CHECK_FALSE(pump.plays(first));
  CHECK(pump.reader().read(first, 5, std::vector<std::int16_t>(8'820).data()) == RingRead::kWriterGone);
}

TEST_CASE_FIXTURE(Fixture,
                  "silence until a station plays is one underrun a chunk, however many listeners it has") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  refresh();
  const StationId late = synth.open(1, named_state("late"));
  pump.add(late, "late", false, own.metrics.personal);
  for (ConnectionId id = 1; id <= 2; ++id) add(id, late);
  run_until(epoch_ns + 5 * kChunkNs);
  CHECK(seqs(1).size() > 3);
  CHECK(seqs(1) == seqs(2));
  CHECK(own.sample("ring_buffer_underruns_total", "personal").value == static_cast<double>(seqs(1).size()));
}

}  // namespace
}  // namespace auralis::chunk_pump_test
