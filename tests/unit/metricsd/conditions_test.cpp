// SPDX-License-Identifier: MIT
#include "metricsd/conditions.h"

#include <functional>

#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>

namespace auralis::conditions_test {

using namespace test;

namespace {

struct ConditionsFixture : HistoryFixture {
  Conditions conditions;

  // A second with these samples.
  void step(std::vector<MetricSample> samples) {
    add(std::move(samples));
    conditions.evaluate(history);
  }
  const Condition& condition(std::string_view name) const { return conditions.now().at(alert_index(name)); }
  // Steps until the condition is no longer `state`; returns for how many seconds it was.
  int seconds_in(AlertState state, std::string_view name,
                 const std::function<std::vector<MetricSample>()>& samples) {
    int seconds = 0;
    while (condition(name).state == state) {
      REQUIRE(++seconds < 10'000);
      step(samples());
    }
    return seconds;
  }
};

}  // namespace

TEST_CASE_FIXTURE(ConditionsFixture,
                  "Conditions: a process that is down is pending at once, and fires after seconds") {
  const auto up = [](double synthd) {
    return std::vector<MetricSample>{gauge_of("auralis_up", synthd, {{"process", "synthd"}}),
                                     gauge_of("auralis_up", 1, {{"process", "streamd"}})};
  };
  const auto& down = condition("AuralisProcessDown");
  step(up(1));
  CHECK(down.state == AlertState::kInactive);
  const std::int64_t begun = down.since_unix_ns;
  CHECK(begun == clock.unix_ns());
  step(up(1));
  CHECK(down.since_unix_ns == begun);
  step(up(0));
  CHECK(down.state == AlertState::kPending);
  CHECK(down.subject == "synthd");
  CHECK(down.since_unix_ns == clock.unix_ns());
  CHECK(seconds_in(AlertState::kPending, "AuralisProcessDown", [&] { return up(0); }) == 5);
  CHECK(down.state == AlertState::kFiring);
  step(up(1));
  CHECK(down.state == AlertState::kInactive);
}

TEST_CASE_FIXTURE(ConditionsFixture, "Conditions: each subject has its own time, and a gap ends it") {
  const auto depths = [](double day, double night) {
    return std::vector<MetricSample>{gauge_of("ring_buffer_depth_ms", day, {{"station", "day"}}),
                                     gauge_of("ring_buffer_depth_ms", night, {{"station", "night"}})};
  };
  const auto& low = condition("RingBufferDepthLow");
  for (int second = 0; second < 100; ++second) step(depths(100, 800));
  CHECK(low.subject == "day");
  CHECK(low.measured == 100);
  for (int second = 0; second < 100; ++second) step(depths(800, 150));
  CHECK(low.state == AlertState::kPending);
  CHECK(low.subject == "night");
  for (int second = 0; second < 21; ++second) step(depths(800, 150));
  CHECK(low.state == AlertState::kFiring);
  step(depths(200, 201));
  CHECK(low.state == AlertState::kInactive);
  for (int second = 0; second < 100; ++second) step(depths(100, 100));
  step({});
  CHECK(low.state == AlertState::kInactive);
  CHECK_FALSE(low.measured);
  step(depths(100, 100));
  CHECK(low.state == AlertState::kPending);
}

TEST_CASE_FIXTURE(ConditionsFixture,
                  "Conditions: a station sounds of nothing if what is published or what is sent does") {
  const auto loudness = [](double published, double sent, double night) {
    return std::vector<MetricSample>{
        gauge_of("auralis_audio_loudness_lufs", published, {{"station", "day"}, {"at", "published"}}),
        gauge_of("auralis_audio_loudness_lufs", sent, {{"station", "day"}, {"at", "sent"}}),
        gauge_of("auralis_audio_loudness_lufs", night, {{"station", "night"}, {"at", "published"}})};
  };
  const auto& silent = condition("SilenceOnAir");
  step(loudness(-20, -20, -60));
  CHECK(silent.state == AlertState::kInactive);
  step(loudness(-20, -70, -20));
  CHECK(silent.state == AlertState::kPending);
  CHECK(silent.subject == "day");
  INFO("it stays silent, whichever of the two it is");
  for (int second = 0; second < 15; ++second) step(loudness(-20, -70, -20));
  for (int second = 0; second < 14; ++second) step(loudness(-70, -20, -20));
  CHECK(silent.state == AlertState::kPending);
  step(loudness(-70, -20, -20));
  CHECK(silent.state == AlertState::kFiring);
  step(loudness(-20, -20, -70));
  CHECK(silent.state == AlertState::kPending);
  CHECK(silent.subject == "night");
  step({});
  CHECK(silent.state == AlertState::kInactive);
}

TEST_CASE_FIXTURE(ConditionsFixture, "Conditions: one glitch is no AudioBufferUnderrun, repeated ones are") {
  double underruns = 0;
  const auto after = [&](double more) {
    return std::vector<MetricSample>{
        counter_of("ring_buffer_underruns_total", underruns += more, {{"station", "day"}})};
  };
  const auto& condition_now = condition("AudioBufferUnderrun");
  step(after(0));
  for (int second = 0; second < 4; ++second) step(after(10));
  for (int second = 0; second < 60; ++second) step(after(0));
  CHECK(condition_now.state == AlertState::kInactive);
  step(after(1));
  for (int second = 0; second < 59; ++second) step(after(0));
  step(after(1));
  CHECK(condition_now.state == AlertState::kPending);
  CHECK(condition_now.subject == "day");
  INFO("it ends a minute and a half after the last one");
  for (int second = 0; second < 90; ++second) step(after(0));
  CHECK(condition_now.state == AlertState::kInactive);
}

TEST_CASE_FIXTURE(ConditionsFixture,
                  "Conditions: a station that a probe found wrong, unless the result is old") {
  double run_s = static_cast<double>(clock.unix_ns()) / kNsPerSecond;
  const auto results = [&](double day, double night) {
    const auto both = [&](const std::string& name, double pcm, double opus) {
      return std::vector<MetricSample>{gauge_of(name, pcm, {{"station", "day"}, {"format", "pcm"}}),
                                       gauge_of(name, opus, {{"station", "night"}, {"format", "opus"}})};
    };
    auto samples = both("auralis_probe_success", day, night);
    for (auto& sample : both("auralis_probe_last_run_timestamp_seconds", run_s, run_s))
      samples.push_back(sample);
    return samples;
  };
  const auto& failing = condition("ProbeFailing");
  step({});
  CHECK(failing.state == AlertState::kInactive);
  step(results(1, 1));
  CHECK(failing.state == AlertState::kInactive);
  step(results(1, 0));
  CHECK(failing.state == AlertState::kPending);
  CHECK(failing.subject == "night");
  // The next result is due after five minutes.
  CHECK(seconds_in(AlertState::kPending, "ProbeFailing", [&] { return results(1, 0); }) == 360);
  CHECK(failing.state == AlertState::kFiring);
  const int seconds = seconds_in(AlertState::kFiring, "ProbeFailing", [&] { return results(1, 0); });
  CHECK(seconds == doctest::Approx(900 - 360).epsilon(0.2));
  CHECK(failing.state == AlertState::kInactive);
  run_s = static_cast<double>(clock.unix_ns()) / kNsPerSecond;
  step(results(1, 0));
  CHECK(failing.state == AlertState::kPending);
}

TEST_CASE_FIXTURE(ConditionsFixture,
                  "Conditions: the machine's processor time counts, a process's share does not") {
  const auto cpu = [](double machine) {
    return std::vector<MetricSample>{gauge_of("cpu_utilization_percent", machine),
                                     gauge_of("cpu_utilization_percent", 99, {{"process", "synthd"}})};
  };
  step(cpu(90));
  CHECK(condition("CPUUtilizationHigh").state == AlertState::kInactive);
  step(cpu(91));
  CHECK(condition("CPUUtilizationHigh").state == AlertState::kPending);
}

TEST_CASE_FIXTURE(
    ConditionsFixture,
    "Conditions: chunks are sent unevenly to more than one listener in twenty, not to one of forty") {
  const auto uneven = [](double behind) {
    return std::vector<MetricSample>{gauge_of("audio_chunk_delivery_variance_ms", 42),
                                     gauge_of("auralis_listeners_behind", behind),
                                     gauge_of("websocket_active_connections", 40)};
  };
  step(uneven(2));
  CHECK(condition("DeliveryVarianceHigh").state == AlertState::kInactive);
  step(uneven(5));
  CHECK(condition("DeliveryVarianceHigh").state == AlertState::kPending);
}

TEST_CASE_FIXTURE(ConditionsFixture,
                  "Conditions: little of a long ring is not low, if it is as much as it should be") {
  const auto ring = [](double depth_ms) {
    return std::vector<MetricSample>{gauge_of("ring_buffer_utilization_percent", 7, {{"station", "day"}}),
                                     gauge_of("ring_buffer_depth_ms", depth_ms, {{"station", "day"}}),
                                     gauge_of("ring_buffer_depth_ms", 750, {{"station", "night"}})};
  };
  step(ring(500));
  CHECK(condition("RingBufferUtilizationLow").state == AlertState::kInactive);
  step(ring(499));
  CHECK(condition("RingBufferUtilizationLow").state == AlertState::kPending);
}

TEST_CASE_FIXTURE(
    ConditionsFixture,
    "Conditions: memory that grows for two hours is MemoryGrowth, a step or shared memory is not") {
  double mb = 100;
  double shared_mb = 50;
  const auto growing = [&](double mb_per_hour) {
    mb += mb_per_hour / 3'600;
    shared_mb += 100.0 / 3'600;
    return std::vector<MetricSample>{
        gauge_of("auralis_memory_mb", mb, {{"process", "streamd"}, {"kind", "anon"}}),
        gauge_of("auralis_memory_mb", shared_mb, {{"process", "streamd"}, {"kind", "shmem"}}),
        gauge_of("memory_usage_mb", mb + shared_mb, {{"process", "streamd"}})};
  };
  const auto& growth = condition("MemoryGrowth");
  for (int second = 0; second < 600; ++second) step(growing(60));
  CHECK(growth.state == AlertState::kInactive);
  CHECK(growth.measured.value() == doctest::Approx(100 * 60 / 105.0).epsilon(0.01));
  INFO("the beginning alone does not count");
  for (int second = 0; second < 3'700; ++second) step(growing(9));
  CHECK(growth.state == AlertState::kInactive);
  CHECK(growth.measured.value() == doctest::Approx(100 * 9 / 114.8).epsilon(0.01));
  for (int second = 0; second < 3'700; ++second) step(growing(25));
  CHECK(growth.state != AlertState::kInactive);
  for (int second = 0; second < 3'700; ++second) step(growing(25));
  CHECK(growth.state == AlertState::kFiring);
  CHECK(growth.subject == "streamd");
  for (int second = 0; second < 3'700; ++second) step(growing(0));
  CHECK(growth.state == AlertState::kInactive);
}

namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;

std::vector<MetricSample> chunks(double due, double on_time, double left) {
  return {counter_of("auralis_chunks_due_total", due), counter_of("auralis_chunks_on_time_total", on_time),
          counter_of("websocket_chunks_dropped_total", left, {{"reason", "disconnect"}}),
          counter_of("websocket_chunks_dropped_total", 7, {{"reason", "backlog"}})};
}

}  // namespace

TEST_CASE_FIXTURE(HistoryFixture, "error_budget: what the target allows to be lost, over the history kept") {
  const auto budget = [&] { return error_budget(history, kChunkNs); };
  CHECK_FALSE(budget().left_percent());
  add(chunks(0, 0, 0));
  add(chunks(1'100, 1'000, 100));
  CHECK(budget().due == 1'000);
  CHECK(budget().left_percent() == doctest::Approx(100));
  add(chunks(2'100, 1'995, 100));
  CHECK(budget().lost == 5);
  CHECK(budget().left_percent() == doctest::Approx(75));
  add(chunks(2'200, 1'995, 100));
  CHECK(budget().left_percent().value() < 0);
}

TEST_CASE_FIXTURE(HistoryFixture, "error_budget: silence in place of music is no success") {
  double due = 0;
  double underruns = 0;
  const auto second = [&](double more_underruns, const std::string& station, double personal) {
    due += 1'000;
    auto samples = chunks(due, due, 0);
    samples.push_back(
        counter_of("ring_buffer_underruns_total", underruns += more_underruns, {{"station", station}}));
    samples.push_back(gauge_of("auralis_stations", personal, {{"kind", "personal"}}));
    add(samples);
  };
  for (int i = 0; i < 100; ++i) second(0, "day", 0);
  CHECK(error_budget(history, kChunkNs).left_percent() == doctest::Approx(100));
  second(5, "day", 0);
  CHECK(error_budget(history, kChunkNs).silent == doctest::Approx(500));
  CHECK(error_budget(history, kChunkNs).left_percent() == doctest::Approx(50));
  INFO("one silent personal station of ten is a tenth");
  underruns = 0;
  second(0, "personal", 10);
  second(10, "personal", 10);
  CHECK(error_budget(history, kChunkNs).silent == doctest::Approx(600));
  INFO("no more than all can be silent");
  second(1'000, "personal", 10);
  CHECK(error_budget(history, kChunkNs).silent == doctest::Approx(1'600));
}

}  // namespace auralis::conditions_test
