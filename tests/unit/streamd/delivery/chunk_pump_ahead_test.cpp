// SPDX-License-Identifier: MIT
// Chunks that the pump reads ahead and has encoded, with encoders that the test holds up, on a ring in a real
// segment and a clock that the test moves.
#include "streamd/delivery/chunk_pump.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "streamd/delivery/paced_delivery.h"
#include "streamd/delivery/send_queues.h"
#include "tests/unit/streamd/delivery/owned_listeners.h"
#include "tests/unit/streamd/support.h"

namespace auralis::chunk_pump_ahead_test {
namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
constexpr std::int64_t kPrefill = 2;
constexpr std::int32_t kBitrate = 96'000;
constexpr ConnectionId kPcm = 1;
constexpr ConnectionId kOpus = 2;

struct Fixture {
  test::TempDir folder;
  test::ManualClock clock;
  test::OwnMetrics own;
  test::RecordingTransport transport;
  test::HeldExecutor encoding;
  ProcessTime process_time{clock, kNsPerSecond};
  test::OwnedListeners listeners;
  SendQueues queues{clock, process_time, own.metrics, transport, {}, 60 * kNsPerSecond, nullptr};
  SentMeter meter{folder.path()};
  ChunkPump pump{folder.path(), clock, own.metrics, encoding, meter, kPrefill, kBitrate};
  Subscriptions subscriptions;
  PacedDelivery delivery{pump, subscriptions, clock,
                         [this](std::size_t, const Delivery& one) { queues.deliver(one); }};
  const std::int64_t epoch_ns = clock.now;
  test::FakeSynth synth{folder.path(), epoch_ns};
  const StationId station = synth.usual();

  Fixture() {
    synth.write(0, 19);
    pump.refresh();
    pump.add(station, "default", true, own.metrics.configured[0]);
    pump.refresh();
    delivery.step();
  }

  void add(ConnectionId id, WireFormat format) {
    subscriptions.add(id, 0, format, station);
    delivery.step();
    const std::uint32_t phase = subscriptions.find(id)->phase;
    listeners.add(queues, id, transport.sink(id), format, false);
    queues.begin(listeners.at(id), {station, phase, {}});
    subscriptions.begin(id);
  }

  void run_until(std::int64_t end_ns) {
    while (clock.now < end_ns) {
      const std::int64_t wake_ns = delivery.step();
      listeners.take_all(queues, transport);
      REQUIRE(wake_ns > clock.now_ns());
      clock.now = std::min(wake_ns, end_ns);
    }
  }
  void run_chunks(std::int64_t count) { run_until(clock.now + count * kChunkNs); }

  // Numbers of the chunks that a listener was sent.
  std::vector<std::int64_t> seqs(ConnectionId id) {
    std::vector<std::int64_t> result;
    for (const std::string_view bytes : chunks(id)) result.push_back(static_cast<unsigned char>(bytes[8]));
    return result;
  }
  std::vector<std::string_view> chunks(ConnectionId id) {
    std::vector<std::string_view> result;
    for (const auto& message : transport.sent[id]) {
      const std::string_view bytes = payload_of(*message);
      if (bytes.substr(0, 4) == "AUR1") result.push_back(bytes);
    }
    return result;
  }
  std::size_t warnings(ConnectionId id) {
    const auto& sent = transport.sent[id];
    return static_cast<std::size_t>(std::count_if(sent.begin(), sent.end(), [](const WireMessagePtr& one) {
      return payload_of(*one).find("\"skipped\"") != std::string_view::npos;
    }));
  }

  double late() const { return own.sample("auralis_encodes_late_total").value; }
  double lost() const { return own.sample("websocket_chunks_dropped_total", "encoding").value; }
  double due() const { return own.sample("auralis_chunks_due_total").value; }
  double sent() const { return own.sample("websocket_chunks_sent_total").value; }
  double delivery_ms() const { return own.sample("audio_chunk_delivery_latency_ms").sum; }
};

std::vector<std::int64_t> from_to(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> numbers;
  for (; first <= last; ++first) numbers.push_back(first);
  return numbers;
}

TEST_CASE_FIXTURE(Fixture, "an encoder that hangs makes no chunk late for listeners of PCM") {
  encoding.held = true;
  add(kPcm, WireFormat::kPcm);
  add(kOpus, WireFormat::kOpus);
  run_until(epoch_ns + 5 * kChunkNs);
  CHECK(delivery_ms() == 0);
  run_until(epoch_ns + 10 * kChunkNs);
  CHECK(seqs(kPcm) == from_to(2, 10));
  CHECK(own.sample("audio_chunk_jitter_ms").sum == 0);  // from the first on, which was in time
  CHECK(chunks(kOpus).empty());
  CHECK(late() == 9);
}

TEST_CASE_FIXTURE(
    Fixture,
    "a chunk that is encoded late is sent as soon as it is ready, in order, and counts with its age") {
  encoding.held = true;
  add(kOpus, WireFormat::kOpus);
  run_until(epoch_ns + 3 * kChunkNs + kChunkNs / 2);
  CHECK(chunks(kOpus).empty());
  encoding.run_waiting(1);
  run_until(clock.now + 5 * kNsPerMs);
  CHECK(seqs(kOpus) == from_to(2, 2));
  CHECK(delivery_ms() > 100);
  encoding.run_waiting(3);
  run_until(epoch_ns + 4 * kChunkNs + 50 * kNsPerMs);
  CHECK(seqs(kOpus) == from_to(2, 5));
  encoding.held = false;
  encoding.run_waiting(100);
  run_until(epoch_ns + 10 * kChunkNs);
  CHECK(seqs(kOpus) == from_to(2, 10));
  CHECK(lost() == 0);
  CHECK(due() == sent());
}

TEST_CASE_FIXTURE(
    Fixture, "a chunk that is not encoded in time is dropped, counted and warned of, and later ones follow") {
  encoding.held = true;
  add(kOpus, WireFormat::kOpus);
  run_until(epoch_ns + 9 * kChunkNs);
  const double dropped = lost();
  CHECK(dropped == 3);  // the five newest are held
  CHECK(warnings(kOpus) == 3);
  CHECK(delivery_ms() >= 3 * 400);  // each counts with its age
  CHECK(due() == sent() + dropped);
  auto holes = pump.take_holes();
  REQUIRE(holes.size() == 1);
  CHECK(holes[0].hole.cause == HoleCause::kEncoding);
  CHECK_FALSE(holes[0].hole.over);
  encoding.held = false;
  encoding.run_waiting(100);
  run_until(epoch_ns + 15 * kChunkNs);
  CHECK(seqs(kOpus) == from_to(5, 15));
  holes = pump.take_holes();
  REQUIRE(holes.size() == 1);
  CHECK(holes[0].hole.over);
  CHECK(holes[0].hole.first == 2);
  CHECK(holes[0].hole.missing == 3);
  CHECK(lost() == dropped);
  CHECK(due() == sent() + dropped);
}

TEST_CASE_FIXTURE(Fixture, "what waits to be encoded is bounded, however long the encoder hangs") {
  encoding.held = true;
  add(kOpus, WireFormat::kOpus);
  for (std::int64_t chunk = 20; chunk < 60; chunk += 5) {
    synth.write(chunk, chunk + 4);
    run_chunks(5);
  }
  CHECK(encoding.waiting.size() == 1);
  encoding.held = false;
  encoding.run_waiting(100);
  // Only chunks that are held or read ahead were encoded.
  run_chunks(1);
  CHECK(seqs(kOpus).size() <= 9);
}

TEST_CASE_FIXTURE(Fixture, "chunks are encoded before their turn, so that only the first may be late") {
  encoding.held = true;
  add(kPcm, WireFormat::kPcm);
  add(kOpus, WireFormat::kOpus);
  const std::int64_t end_ns = epoch_ns + 12 * kChunkNs;
  while (clock.now < end_ns) {
    run_until(std::min(end_ns, clock.now + 30 * kNsPerMs));
    encoding.run_waiting(100);
  }
  CHECK(late() == 1);
  CHECK(seqs(kOpus) == from_to(2, 12));
}

TEST_CASE_FIXTURE(Fixture,
                  "what is encoded ahead is, byte for byte, what one encoder makes of the chunks in order") {
  run_until(epoch_ns + 4 * kChunkNs);
  subscriptions.add(kOpus, 0, WireFormat::kOpus, station);
  const Subscriptions::Listener& listener = *subscriptions.find(kOpus);
  const std::int64_t next = delivery.next_chunk(listener).value();
  encoding.held = true;
  CHECK_FALSE(pump.prepare(station, WireFormat::kOpus, next - kPrefill, next));
  encoding.run_waiting(1);
  CHECK_FALSE(pump.prepare(station, WireFormat::kOpus, next - kPrefill, next));
  encoding.held = false;
  encoding.run_waiting(100);
  REQUIRE(pump.prepare(station, WireFormat::kOpus, next - kPrefill, next));
  listeners.add(queues, kOpus, transport.sink(kOpus), WireFormat::kOpus, false);
  queues.begin(listeners.at(kOpus),
               {station, listener.phase, {}, delivery.prefill(listener, next - kPrefill)});
  subscriptions.begin(kOpus);
  run_until(epoch_ns + 12 * kChunkNs);
  REQUIRE(seqs(kOpus) == from_to(next - kPrefill, 12));

  OpusStream alone(44'100, kBitrate);
  for (const std::string_view bytes : chunks(kOpus)) {
    AudioChunk chunk;
    chunk.seq = static_cast<unsigned char>(bytes[8]);
    chunk.sample_rate = 44'100;
    chunk.channels = 2;
    chunk.frames = 4'410;
    chunk.samples =
        Samples::copy_of(std::vector<std::int16_t>(8'820, static_cast<std::int16_t>(chunk.seq + 1)));
    const std::string expected = encode_opus(chunk, alone.encode(chunk));
    CHECK(bytes.substr(0, 16) == std::string_view(expected).substr(0, 16));
    CHECK(bytes.substr(kHeaderBytes) == std::string_view(expected).substr(kHeaderBytes));
  }
  CHECK(late() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a format without an encoder waits for nothing") {
  encoding.held = true;
  CHECK(pump.prepare(station, WireFormat::kPcm, 0, 2));
  CHECK(pump.prepare(station, WireFormat::kWav, 0, 2));
  CHECK(encoding.waiting.empty());
}

TEST_CASE_FIXTURE(Fixture, "a chunk owed to a listener is known, and can be dropped") {
  encoding.held = true;
  add(kOpus, WireFormat::kOpus);
  run_until(epoch_ns + 4 * kChunkNs);
  CHECK(delivery.owes(station));
  CHECK_FALSE(delivery.owes({1, 1}));
  delivery.drop_owed(station);
  CHECK_FALSE(delivery.owes(station));
  CHECK(lost() == 3);
  CHECK(due() == sent() + lost());
}

TEST_CASE_FIXTURE(Fixture, "silence in place of a chunk reaches listeners of Opus, too") {
  add(kOpus, WireFormat::kOpus);
  run_until(epoch_ns + 25 * kChunkNs);
  const auto heard = seqs(kOpus);
  REQUIRE(heard == from_to(2, 25));
  CHECK((chunks(kOpus).back()[6] & kFlagSilence) != 0);
  CHECK((chunks(kOpus).front()[6] & kFlagSilence) == 0);
}

}  // namespace
}  // namespace auralis::chunk_pump_ahead_test
