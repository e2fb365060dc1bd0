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

}  // namespace
}  // namespace auralis::paced_delivery_test
