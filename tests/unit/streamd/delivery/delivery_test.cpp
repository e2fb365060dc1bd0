// SPDX-License-Identifier: MIT
// The pump and the pacing together, on a ring in a real segment and a clock that the test moves.
#include <doctest/doctest.h>

#include <algorithm>

#include "streamd/delivery/chunk_pump.h"
#include "streamd/delivery/paced_delivery.h"
#include "streamd/delivery/send_queues.h"
#include "tests/unit/streamd/support.h"

namespace auralis {
namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
constexpr std::int64_t kPrefill = 2;

struct Fixture {
  test::TempDir folder;
  test::ManualClock clock;
  test::OwnMetrics own;
  test::RecordingTransport transport;
  ProcessTime process_time{clock, kNsPerSecond};
  SendQueues queues{clock, process_time, own.metrics, transport, {}, 60 * kNsPerSecond, nullptr};
  test::HeldExecutor encoding;
  ChunkPump pump{folder.path(), clock, own.metrics, encoding, kPrefill, 96'000};
  Subscriptions subscriptions;
  PacedDelivery delivery{pump, subscriptions, clock,
                         [this](std::size_t, const Delivery& one) { queues.deliver(one); }};
  std::int64_t epoch_ns = clock.now;
  StationId station;

  // What the server does with the stations that it finds.
  void refresh() {
    pump.refresh();
    const std::uint64_t generation = pump.reader().generation(0);
    if (generation == station.generation || generation % 2 == 0) return;
    subscriptions.move(station, {0, generation});
    queues.move(station, {0, generation});
    station.generation = generation;
    pump.add(station, "default", true, own.metrics.configured[0]);
    pump.refresh();
  }

  void add(ConnectionId id, const StationId& to, std::int64_t prefill = 0,
           WireFormat format = WireFormat::kPcm) {
    subscriptions.add(id, 0, format, to);
    delivery.step();
    const std::uint32_t phase = subscriptions.find(id)->phase;
    if (const auto next = delivery.next_chunk(phase)) pump.prepare(to, format, *next - prefill, *next);
    queues.add(id, transport.sink(id), format, false);
    queues.begin(id, {to, phase, {}, delivery.prefill(to, phase, format, prefill)});
    subscriptions.begin(id);
  }
  void add(ConnectionId id) { add(id, station); }

  double underruns() const { return own.sample("ring_buffer_underruns_total", "default").value; }

  // Lets the time permit as the loop would: from wake to wake.
  void run_until(std::int64_t end_ns) {
    while (clock.now < end_ns) {
      refresh();
      const std::int64_t wake_ns = delivery.step();
      transport.take_all([&](ConnectionId id) { queues.written(id); });
      REQUIRE(wake_ns > clock.now_ns());
      clock.now = std::min(wake_ns, end_ns);
    }
  }

  std::vector<std::int64_t> seqs(ConnectionId id) {
    std::vector<std::int64_t> result;
    for (const auto& message : transport.sent[id]) {
      const std::string_view bytes = payload_of(*message);
      if (bytes.substr(0, 4) == "AUR1") result.push_back(static_cast<unsigned char>(bytes[8]));
    }
    return result;
  }
};

TEST_CASE_FIXTURE(Fixture, "before synthd is there nothing is sent and nothing counted") {
  run_until(clock.now + kNsPerSecond);
  CHECK_FALSE(pump.has_timeline());
  CHECK(underruns() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a synthd that still fills its ring is not late") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  run_until(epoch_ns + 3 * kChunkNs);
  CHECK_FALSE(pump.has_timeline());
  CHECK(underruns() == 0);
  synth.write(0, 9);
  run_until(epoch_ns + 5 * kChunkNs);
  CHECK(pump.flowing());
  CHECK(underruns() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "each phase gets every chunk once, in order, at its moment before the chunk is due") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  refresh();
  for (ConnectionId id = 1; id <= 3; ++id) add(id);
  run_until(epoch_ns + 10 * kChunkNs);
  for (ConnectionId id = 1; id <= 3; ++id)
    CHECK(seqs(id) == std::vector<std::int64_t>{2, 3, 4, 5, 6, 7, 8, 9, 10});
  // Each was taken at its own moment: nothing waited.
  CHECK(own.sample("audio_chunk_delivery_latency_ms").sum == 0);
  CHECK(own.sample("audio_chunk_jitter_ms").sum == 0);
}

TEST_CASE_FIXTURE(Fixture, "no phase is passed over, however time goes by while the others have their turn") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  refresh();
  constexpr ConnectionId kListeners = 10;
  for (ConnectionId id = 1; id <= kListeners; ++id) add(id);
  clock.each_look_ns = 700'000;  // a phase is 2.5 ms
  while (clock.now < epoch_ns + 16 * kChunkNs) {
    const std::int64_t wake_ns = delivery.step();
    transport.take_all([&](ConnectionId id) { queues.written(id); });
    clock.now = std::max<std::int64_t>(clock.now, wake_ns);
  }
  for (ConnectionId id = 1; id <= kListeners; ++id) {
    CAPTURE(id);
    const auto heard = seqs(id);
    REQUIRE(heard.size() > 10);
    for (std::size_t i = 1; i < heard.size(); ++i) CHECK(heard[i] == heard[i - 1] + 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "a server that cannot keep up has its thread back after each turn") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  refresh();
  std::size_t sends = 0;
  PacedDelivery slow(pump, subscriptions, clock, [&](std::size_t, const Delivery&) {
    clock.now += 60 * kNsPerMs;  // two listeners take longer than a chunk plays
    REQUIRE(++sends < 100);      // else it would never return
  });
  for (ConnectionId id = 1; id <= 2; ++id) add(id);
  std::size_t all = 0;
  for (int step = 0; step < 10; ++step) {
    sends = 0;
    const std::int64_t playing = pump.timeline().chunk_at(clock.now);
    synth.write(std::max<std::int64_t>(playing, 0), playing + 10);
    clock.now = std::max<std::int64_t>(clock.now, slow.step());
    CHECK(sends <= 4);
    all += sends;
  }
  CHECK(all >= 10);
}

TEST_CASE_FIXTURE(Fixture,
                  "a listener that comes in the middle starts with the newest past chunks and misses none") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  for (std::int64_t offset_ms = 0; offset_ms < 100; offset_ms += 7) {
    run_until(epoch_ns + 4 * kChunkNs + offset_ms * kNsPerMs);
    const auto id = static_cast<ConnectionId>(offset_ms + 1);
    add(id, station, kPrefill);
  }
  run_until(epoch_ns + 10 * kChunkNs);
  for (std::int64_t offset_ms = 0; offset_ms < 100; offset_ms += 7) {
    CAPTURE(offset_ms);
    const auto heard = seqs(static_cast<ConnectionId>(offset_ms + 1));
    REQUIRE(heard.size() > 6);
    CHECK(heard.front() >= 3);
    CHECK(heard.front() <= 4);
    for (std::size_t i = 1; i < heard.size(); ++i) CHECK(heard[i] == heard[i - 1] + 1);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "a chunk that is not there in time becomes silence, once, and the sequence goes on") {
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

TEST_CASE_FIXTURE(Fixture, "a pump that comes too late skips to the live position and counts one overrun") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 8);
  refresh();
  add(1);
  run_until(epoch_ns + 2 * kChunkNs);
  clock.now = epoch_ns + 40 * kChunkNs;
  synth.write(9, 47);
  run_until(epoch_ns + 43 * kChunkNs);
  CHECK(own.sample("ring_buffer_overruns_total", "default").value == 1);
  CHECK(underruns() == 0);
  CHECK(seqs(1) == std::vector<std::int64_t>{2, 42, 43});
}

TEST_CASE_FIXTURE(Fixture, "a long pause is not made up for with a burst of silence") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 8);
  refresh();
  add(1);
  run_until(epoch_ns + 2 * kChunkNs);
  clock.now = epoch_ns + 200 * kChunkNs;
  run_until(epoch_ns + 203 * kChunkNs);
  CHECK(own.sample("ring_buffer_overruns_total", "default").value == 1);
  CHECK(seqs(1).size() < 8);
}

TEST_CASE_FIXTURE(Fixture, "who came before there was a timeline hears it too") {
  for (ConnectionId id = 1; id <= 12; ++id) add(id);
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 15);
  run_until(epoch_ns + 5 * kChunkNs);
  for (ConnectionId id = 1; id <= 12; ++id) CHECK(seqs(id).size() >= 3);
}

TEST_CASE_FIXTURE(Fixture, "the depth is the newest chunk's end less now") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 7);
  refresh();
  run_until(epoch_ns + 1);
  CHECK(pump.depth_ms(station) == doctest::Approx(800.0));
  run_until(epoch_ns + 5 * kChunkNs + 1);
  CHECK(pump.depth_ms(station) == doctest::Approx(300.0));
  CHECK(own.sample("ring_buffer_utilization_percent", "default").value == doctest::Approx(15.0));
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

TEST_CASE_FIXTURE(Fixture, "a synthd that begins anew is followed in every format, whatever its numbers") {
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

TEST_CASE_FIXTURE(
    Fixture, "each hears the station that it asked for, and one that comes later from its first chunks on") {
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

  // It is counted apart, and not at all while nobody hears it.
  run_until(epoch_ns + 17 * kChunkNs);
  const double missed = own.sample("ring_buffer_underruns_total", "personal").value;
  CHECK(missed > 0);
  CHECK(underruns() == 0);
  queues.removed(2);
  subscriptions.remove(2);
  run_until(epoch_ns + 19 * kChunkNs);
  CHECK(own.sample("ring_buffer_underruns_total", "personal").value == missed);
}

TEST_CASE_FIXTURE(Fixture, "the next tenant of a place is not taken for the one before it") {
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
  // Who still listens to the first hears silence, without a gap in the numbers.
  CHECK(seqs(1).size() == heard + 4);
  CHECK(payload_of(*transport.sent[1].back()).find_first_not_of('\0', 32) == std::string_view::npos);
  CHECK(pump.plays(second));
  CHECK_FALSE(pump.plays(first));
  CHECK(pump.reader().read(first, 5, std::vector<std::int16_t>(8'820).data()) == RingRead::kWriterGone);
}

TEST_CASE_FIXTURE(Fixture, "silence until a station plays is one underrun a chunk, however many hear it") {
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
}  // namespace auralis
