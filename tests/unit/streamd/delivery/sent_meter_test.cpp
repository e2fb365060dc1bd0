// SPDX-License-Identifier: MIT
#include "streamd/delivery/sent_meter.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/unit/streamd/support.h"

namespace auralis::sent_meter_test {
namespace {

struct Fixture {
  test::TempDir folder;
  SentMeter meter{folder.path()};
  const StationId day{0, 1};
  const StationId night{1, 1};

  // A chunk whose samples all have that value.
  void offer(const StationId& station, std::int64_t seq, std::int16_t value, bool silence = false,
             std::uint32_t channels = 2) {
    AudioChunk audio;
    audio.seq = seq;
    audio.sample_rate = 44'100;
    audio.channels = channels;
    audio.frames = 4'410;
    audio.silence = silence;
    audio.samples = Samples::copy_of(std::vector<std::int16_t>(std::size_t{4'410} * channels, value));
    meter.offer({station, audio});
  }
  // Findings of the chunk.
  std::optional<MeasuredChunk> measure(const StationId& station, std::int64_t seq, std::int16_t value,
                                       bool silence = false) {
    offer(station, seq, value, silence);
    meter.measure_queued();
    return meter.take();
  }
};

TEST_CASE_FIXTURE(Fixture, "SentMeter: what is offered is measured, in its order, and taken once") {
  CHECK_FALSE(meter.take());
  offer(day, 7, 8'192);
  offer(night, 7, 16'384);
  offer(day, 8, 8'192);
  CHECK_FALSE(meter.take());
  meter.measure_queued();
  const auto first = meter.take();
  REQUIRE(first);
  CHECK(first->station == day);
  CHECK(first->seq == 7);
  CHECK(first->seconds == doctest::Approx(0.1));
  CHECK(first->peak == 0.25);
  CHECK(first->samples.size() == 8'820);
  CHECK_FALSE(first->loudness_lufs);
  CHECK(meter.take()->peak == 0.5);
  CHECK(meter.take()->seq == 8);
  CHECK_FALSE(meter.take());
}

TEST_CASE_FIXTURE(Fixture, "SentMeter: a chunk that does not continue the one before is a discontinuity") {
  measure(day, 1, 8'192);
  measure(night, 1, -8'192);
  CHECK_FALSE(measure(day, 2, 8'192)->findings.discontinuous);
  CHECK(measure(day, 3, 1'000)->findings.discontinuous);
  INFO("but not after a gap, where nothing was sent or measured, nor of another station");
  CHECK_FALSE(measure(day, 5, 8'192)->findings.discontinuous);
  CHECK_FALSE(measure({0, 3}, 6, 1'000)->findings.discontinuous);
}

TEST_CASE_FIXTURE(Fixture, "SentMeter: silence is told by its cause") {
  CHECK(measure(day, 1, 0, true)->cause == SilenceCause::kUnderrun);
  INFO("no synthd");
  CHECK(measure(day, 2, 0)->cause == SilenceCause::kZero);
  test::FakeSynth synth(folder.path(), kNsPerSecond);
  StationState state = named_state("day");
  const StationId station = synth.open(1, state);
  state = *synth.writer().state(1);
  CHECK(measure(station, 5, 0)->cause == SilenceCause::kZero);
  MusicParameters off;
  off.voices = 0;
  add_change(state.history, synth.writer().timeline(), {8, off});
  synth.writer().store_state(1, state);
  CHECK(measure(station, 7, 0)->cause == SilenceCause::kZero);
  CHECK(measure(station, 8, 0)->cause == SilenceCause::kMuted);
  CHECK(measure(station, 9, 0, true)->cause == SilenceCause::kUnderrun);
  INFO("music that rings out after the voices were switched off is no silence");
  CHECK_FALSE(measure(station, 10, 500)->findings.silent);
}

TEST_CASE_FIXTURE(Fixture,
                  "SentMeter: a full queue drops chunks; those that follow are measured as after a gap") {
  for (std::size_t i = 0; i < SentMeter::kMostQueued; ++i) offer(day, static_cast<std::int64_t>(i), 8'192);
  const auto next = static_cast<std::int64_t>(SentMeter::kMostQueued);
  offer(day, next, 0);
  meter.measure_queued();
  std::int64_t taken = 0;
  while (const auto one = meter.take()) CHECK(one->seq == taken++);
  CHECK(taken == next);
  CHECK_FALSE(measure(day, next + 1, 0)->findings.discontinuous);
}

TEST_CASE_FIXTURE(Fixture, "SentMeter: mono is not measured") {
  offer(day, 1, 8'192, false, 1);
  meter.measure_queued();
  CHECK_FALSE(meter.take());
}

}  // namespace
}  // namespace auralis::sent_meter_test
