// SPDX-License-Identifier: MIT
// The pump with the meter of what it sends, which measures when the test says so.
#include "streamd/delivery/chunk_pump.h"

#include <doctest/doctest.h>

#include <optional>

#include "tests/unit/streamd/delivery/delivery_support.h"

namespace auralis::chunk_pump_measured_test {
namespace {

using test::kChunkNs;

struct Fixture : test::DeliveryFixture {
  std::optional<test::FakeSynth> synth{std::in_place, folder.path(), epoch_ns};

  // For `count` chunks, each measured before the next one's turn.
  void play(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      run_until(clock.now + kChunkNs);
      meter.measure_queued();
    }
  }
  std::optional<double> value(const std::string& name, const std::string& cause = {}) const {
    for (const auto& sample : own.samples()) {
      const auto& labels = sample.spec.labels;
      if (sample.spec.name != "auralis_audio_" + name || labels.at(0).value != "default") continue;
      CHECK(labels.at(1).value == "sent");
      if (cause.empty() || labels.at(2).value == cause) return sample.value;
    }
    return std::nullopt;
  }
};

TEST_CASE_FIXTURE(Fixture, "the level of a station is shown while it has listeners") {
  synth->write(0, 19);
  refresh();
  play(6);
  CHECK_FALSE(value("peak"));
  add(1);
  play(3);
  CHECK(value("peak").value() >= 8.0 / 32'768);
  CHECK(value("peak").value() <= 12.0 / 32'768);
  CHECK_FALSE(value("silence_seconds_total"));
  subscriptions.remove(1);
  play(3);
  CHECK_FALSE(value("peak"));
}

TEST_CASE_FIXTURE(
    Fixture,
    "silence in place of missing chunks is exactly as long as they are, for any number of listeners") {
  synth->write(0, 10);
  refresh();
  play(6);
  for (const ConnectionId id : {1, 2, 3}) add(id);
  play(10);
  CHECK(underruns() >= 5);
  CHECK(value("silence_seconds_total", "underrun").value() > 0);
  synth->write(18, 30);
  play(4);
  CHECK(value("silence_seconds_total", "underrun").value() == doctest::Approx(underruns() * 0.1));
  CHECK(value("peak").value() > 0);
}

TEST_CASE_FIXTURE(Fixture, "while the meter does not run the sound goes on, and the level becomes absent") {
  synth->write(0, 19);
  refresh();
  play(6);
  add(1);
  play(3);
  CHECK(value("peak"));
  for (std::int64_t chunk = 20; chunk < 60; ++chunk) {
    synth->write(chunk, chunk);
    run_until(clock.now + kChunkNs);
  }
  CHECK_FALSE(value("peak"));
  CHECK(seqs(1).back() >= 47);
  CHECK(underruns() == 0);
  synth->write(60, 65);
  play(3);
  CHECK(value("peak"));
}

TEST_CASE_FIXTURE(Fixture, "personal stations are not measured") {
  synth->write(0, 19);
  refresh();
  StationState state = named_state("p1");
  state.personal = 1;
  const StationId personal = synth->open(2, state);
  pump.add(personal, "p1", false, own.metrics.personal);
  synth->write(0, 19, 2);
  play(6);
  add(1, personal);
  play(4);
  CHECK(seqs(1).size() >= 3);
  CHECK_FALSE(value("peak"));
}

}  // namespace
}  // namespace auralis::chunk_pump_measured_test
