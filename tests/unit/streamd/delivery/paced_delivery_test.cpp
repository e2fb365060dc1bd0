// SPDX-License-Identifier: MIT
#include "streamd/delivery/paced_delivery.h"

#include <doctest/doctest.h>

#include "tests/unit/streamd/delivery/delivery_support.h"

namespace auralis::paced_delivery_test {
namespace {

using test::kChunkNs;
using test::kPrefill;
using Fixture = test::DeliveryFixture;

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

TEST_CASE_FIXTURE(Fixture, "no phase is skipped, however much time the others take") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  refresh();
  constexpr ConnectionId kListeners = 10;
  for (ConnectionId id = 1; id <= kListeners; ++id) add(id);
  clock.each_look_ns = 700'000;  // a phase is 2.5 ms
  while (clock.now < epoch_ns + 16 * kChunkNs) {
    const std::int64_t wake_ns = delivery.step();
    listeners.take_all(queues, transport);
    clock.now = std::max<std::int64_t>(clock.now, wake_ns);
  }
  for (ConnectionId id = 1; id <= kListeners; ++id) {
    CAPTURE(id);
    const auto heard = seqs(id);
    REQUIRE(heard.size() > 10);
    for (std::size_t i = 1; i < heard.size(); ++i) CHECK(heard[i] == heard[i - 1] + 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "on a server that cannot keep up, the thread returns after each turn") {
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

TEST_CASE_FIXTURE(Fixture, "a late joiner starts with the newest past chunks and misses none") {
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

TEST_CASE_FIXTURE(Fixture, "a listener from before the timeline is delivered to, too") {
  for (ConnectionId id = 1; id <= 12; ++id) add(id);
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 15);
  run_until(epoch_ns + 5 * kChunkNs);
  for (ConnectionId id = 1; id <= 12; ++id) CHECK(seqs(id).size() >= 3);
}

constexpr std::int64_t kLead = 5;

std::vector<std::int64_t> from_to(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> numbers;
  for (; first <= last; ++first) numbers.push_back(first);
  return numbers;
}

TEST_CASE_FIXTURE(Fixture, "a listener with a lead has each chunk that much before the others, on time") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  run_until(epoch_ns + 4 * kChunkNs);
  add(1, station, kPrefill);
  add(2, station, kPrefill, WireFormat::kPcm, kLead);
  add(3, station, kPrefill, WireFormat::kOpus, kLead);
  run_until(epoch_ns + 10 * kChunkNs);
  CHECK(seqs(1) == from_to(seqs(1).front(), 10));
  CHECK(seqs(2) == from_to(seqs(2).front(), 10 + kLead));
  CHECK(seqs(3) == from_to(seqs(3).front(), 10 + kLead));
  CHECK(own.sample("audio_chunk_delivery_latency_ms").sum == 0);
  CHECK(own.sample("audio_chunk_jitter_ms").sum == 0);
  CHECK(own.sample("websocket_chunks_dropped_total", "overrun").value == 0);
}

TEST_CASE_FIXTURE(Fixture, "a listener with a lead that goes over to Opus costs those without one no chunk") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 19);
  run_until(epoch_ns + 4 * kChunkNs);
  for (const WireFormat format : {WireFormat::kOpus, WireFormat::kPcm}) {
    const ConnectionId base = format == WireFormat::kOpus ? 0 : 10;
    add(base + 1, station, kPrefill, format);
    add(base + 2, station, kPrefill, WireFormat::kPcm, kLead);
    run_until(clock.now + 2 * kChunkNs);
    const std::int64_t next = delivery.next_chunk(*subscriptions.find(base + 2)).value();
    REQUIRE(pump.prepare(station, WireFormat::kOpus, next, next));
    subscriptions.set_format(base + 2, WireFormat::kOpus);
    queues.set_format(listeners.at(base + 2), WireFormat::kOpus, false);
  }
  run_until(epoch_ns + 13 * kChunkNs);
  for (const ConnectionId id : {1, 2, 11, 12}) {
    CAPTURE(id);
    CHECK(seqs(id) == from_to(seqs(id).front(), id % 2 == 0 ? 13 + kLead : 13));
  }
  CHECK(own.sample("auralis_encodes_late_total").value == 0);
}

TEST_CASE_FIXTURE(Fixture, "a chunk that is rendered too late for a lead comes as soon as it is rendered") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 9);
  run_until(epoch_ns + 4 * kChunkNs);
  add(1, station, kPrefill);
  for (const ConnectionId id : {2, 3}) add(id, station, kPrefill, WireFormat::kPcm, kLead);
  add(4, station, kPrefill, WireFormat::kOpus, kLead);
  run_until(epoch_ns + 8 * kChunkNs);
  add(5, station, kPrefill, WireFormat::kPcm, kLead);  // begins with what there is
  listeners.take_all(queues, transport);
  for (const ConnectionId id : {2, 3, 4, 5}) CHECK(seqs(id).back() == 9);
  CHECK_FALSE(delivery.owes(station));
  synth.write(10, 19);
  run_until(clock.now + 5 * kNsPerMs);
  for (const ConnectionId id : {2, 3, 4, 5}) CHECK(seqs(id).back() >= 10);
  run_until(epoch_ns + 12 * kChunkNs);
  for (const ConnectionId id : {2, 3, 4, 5}) {
    CAPTURE(id);
    CHECK(seqs(id) == from_to(seqs(id).front(), 12 + kLead));
  }
  CHECK(seqs(1) == from_to(seqs(1).front(), 12));
  CHECK(underruns() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a chunk that is never rendered is silence to listeners with a lead, too") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  synth.write(0, 7);
  run_until(epoch_ns + 4 * kChunkNs);
  add(1);
  add(2, station, 0, WireFormat::kPcm, kLead);
  add(3, station, 0, WireFormat::kOpus, kLead);
  run_until(epoch_ns + 11 * kChunkNs);
  for (const ConnectionId id : {1, 2, 3}) {
    CAPTURE(id);
    CHECK(seqs(id) == from_to(seqs(id).front(), 11));
  }
  CHECK(underruns() == 4);
}

TEST_CASE_FIXTURE(
    Fixture, "a listener that is moved while its station is silent gets no chunk twice or out of order") {
  test::FakeSynth synth(folder.path(), epoch_ns);
  const StationId other = synth.open(1, named_state("other"));
  synth.write(0, 7);
  synth.write(0, 19, 1);
  refresh();
  pump.add(other, "other", true, own.metrics.configured[1]);
  run_until(epoch_ns + 4 * kChunkNs);
  for (const ConnectionId id : {1, 2}) add(id, station, 0, WireFormat::kPcm, kLead);
  add(3, other, 0, WireFormat::kPcm, kLead);
  run_until(epoch_ns + 7 * kChunkNs);
  const auto move = [&](ConnectionId id, const StationId& to) {
    subscriptions.switch_station(id, to);
    queues.switch_station(listeners.at(id), to);
  };
  move(1, other);
  move(3, station);
  run_until(epoch_ns + 9 * kChunkNs);
  CHECK(seqs(1).back() == 9 + kLead);
  move(1, station);  // whose chunks from 8 on it is still owed
  synth.write(8, 19);
  run_until(epoch_ns + 12 * kChunkNs);
  for (const ConnectionId id : {1, 2, 3}) {
    CAPTURE(id);
    const auto heard = seqs(id);
    CHECK(heard.back() == 12 + kLead);
    for (std::size_t i = 1; i < heard.size(); ++i) CHECK(heard[i] > heard[i - 1]);
  }
}

}  // namespace
}  // namespace auralis::paced_delivery_test
