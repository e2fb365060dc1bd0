// SPDX-License-Identifier: MIT
#include "metricsd/conditions.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>

#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>

namespace auralis::conditions_test {

using namespace test;

namespace {

// The text of each alert in the files of the rules, by its name.
std::map<std::string, std::string> prometheus_rules() {
  std::map<std::string, std::string> rules;
  const std::string begin = "- alert: ";
  for (const auto& file :
       std::filesystem::directory_iterator(AURALIS_SOURCE_DIR "/monitoring/prometheus/rules")) {
    const std::string text = read_file(file.path());
    for (std::size_t at = text.find(begin); at != std::string::npos;) {
      const std::size_t next = text.find(begin, at + 1);
      const std::string rule = text.substr(at + begin.size(), next - at - begin.size());
      rules[rule.substr(0, rule.find('\n'))] = rule;
      at = next;
    }
  }
  return rules;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// As rules write a duration.
std::string duration(std::int64_t seconds) {
  return seconds % 3'600 == 0 ? std::to_string(seconds / 3'600) + "h" : std::to_string(seconds / 60) + "m";
}

struct ConditionsFixture : HistoryFixture {
  Conditions conditions;

  // A second with these samples.
  void step(std::vector<MetricSample> samples) {
    add(std::move(samples));
    conditions.evaluate(history);
  }
  const Condition& condition(std::string_view name) const {
    const auto* found = std::find_if(kAlertRules.begin(), kAlertRules.end(),
                                     [&](const AlertRule& rule) { return rule.name == name; });
    REQUIRE(found != kAlertRules.end());
    return conditions.now().at(static_cast<std::size_t>(found - kAlertRules.begin()));
  }
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

TEST_CASE("kAlertRules: names, severities, thresholds and durations are those of Prometheus' rules") {
  const auto rules = prometheus_rules();
  CHECK(rules.size() == kAlertRules.size());
  for (const auto& alert : kAlertRules) {
    const auto found = rules.find(std::string(alert.name));
    REQUIRE_MESSAGE(found != rules.end(), alert.name);
    const std::string& rule = found->second;
    INFO(alert.name << ": " << rule);
    CHECK(contains(rule, "severity: " + std::string(alert.severity) + "\n"));
    CHECK(contains(rule, "for: " + duration(alert.for_s) + "\n"));
    std::ostringstream compared;
    compared << " " << alert.comparison << " " << alert.threshold << "\n";
    CHECK(contains(rule.substr(0, rule.find("for: ")), compared.str()));
  }
}

TEST_CASE("kAlertRules: the number of a change's scrapes is that of the file for Prometheus") {
  CHECK(contains(read_file(AURALIS_SOURCE_DIR "/monitoring/prometheus/prometheus.yml"),
                 "metrics_path: /metrics\n    scrape_interval: 5s\n"));
}

TEST_CASE_FIXTURE(ConditionsFixture,
                  "Conditions: a process that is down is pending at once, and fires after a minute") {
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
  CHECK(seconds_in(AlertState::kPending, "AuralisProcessDown", [&] { return up(0); }) == 60);
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
                  "Conditions: a station is silent if what is published or what is sent is") {
  const auto peaks = [](double published, double sent, double night) {
    return std::vector<MetricSample>{
        gauge_of("auralis_audio_peak", published, {{"station", "day"}, {"at", "published"}}),
        gauge_of("auralis_audio_peak", sent, {{"station", "day"}, {"at", "sent"}}),
        gauge_of("auralis_audio_peak", night, {{"station", "night"}, {"at", "published"}})};
  };
  const auto& silent = condition("StationSilent");
  constexpr double kDither = 2.0 / 32'768;
  step(peaks(0.4, 0.4, 0.001));
  CHECK(silent.state == AlertState::kInactive);
  step(peaks(0.4, 0, 0.4));
  CHECK(silent.state == AlertState::kPending);
  CHECK(silent.subject == "day");
  INFO("it stays silent, whichever of the two it is");
  for (int second = 0; second < 30; ++second) step(peaks(0.4, 0, 0.4));
  for (int second = 0; second < 29; ++second) step(peaks(kDither, 0.4, 0.4));
  CHECK(silent.state == AlertState::kPending);
  step(peaks(kDither, 0.4, 0.4));
  CHECK(silent.state == AlertState::kFiring);
  step(peaks(0.4, 0.4, kDither));
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
  for (int second = 0; second < 30; ++second) step(after(0));
  CHECK(condition_now.state == AlertState::kInactive);
  step(after(1));
  for (int second = 0; second < 10; ++second) step(after(0));
  step(after(1));
  CHECK(condition_now.state == AlertState::kPending);
  CHECK(condition_now.subject == "day");
  INFO("it ends two minutes after the last one");
  for (int second = 0; second < 120; ++second) step(after(0));
  CHECK(condition_now.state == AlertState::kInactive);
}

TEST_CASE_FIXTURE(ConditionsFixture, "Conditions: latencies are judged by their quantile over five minutes") {
  struct Case {
    const char* rule;
    const char* histogram;
    double threshold;
    double share;  // of slow ones that is just too many
  };
  for (const Case& c : {Case{"SynthesisLatencyHigh", "audio_synthesis_latency_ms", 150, 0.02},
                        Case{"ChunkDeliveryLatencyHigh", "audio_chunk_delivery_latency_ms", 100, 0.02},
                        Case{"AudioJitterHigh", "audio_chunk_jitter_ms", 50, 0.1}}) {
    INFO(c.rule);
    double fast = 0;
    double slow = 0;
    const auto after = [&](double share) {
      fast += 1'000 * (1 - share);
      slow += 1'000 * share;
      return std::vector<MetricSample>{histogram_of(c.histogram, {c.threshold, 1'000}, {fast, slow, 0})};
    };
    for (int second = 0; second < 3; ++second) step(after(0));
    CHECK(condition(c.rule).state == AlertState::kInactive);
    CHECK(condition(c.rule).measured.value() <= c.threshold);
    for (int second = 0; second < 300; ++second) step(after(c.share / 4));
    CHECK(condition(c.rule).state == AlertState::kInactive);
    for (int second = 0; second < 300; ++second) step(after(c.share));
    CHECK(condition(c.rule).state != AlertState::kInactive);
    CHECK(condition(c.rule).measured.value() > c.threshold);
    INFO("without observations nothing is measured");
    for (int second = 0; second < 301; ++second) step(after(0));
    for (int second = 0; second < 301; ++second) step({});
    CHECK_FALSE(condition(c.rule).measured);
  }
}

TEST_CASE_FIXTURE(ConditionsFixture, "Conditions: attempts to listen of which none succeeds") {
  double attempts = 0;
  double sent = 0;
  const auto after = [&](double more, double active, double chunks) {
    return std::vector<MetricSample>{
        gauge_of("websocket_active_connections", active),
        counter_of("websocket_connections_total", attempts += more),
        counter_of("websocket_chunks_sent_total", sent += chunks),
        counter_of("websocket_connections_rejected_total", 0, {{"reason", "limit"}})};
  };
  const auto& none = condition("NoActiveConnections");
  step(after(0, 0, 0));
  step(after(1, 0, 0));
  CHECK(none.state == AlertState::kPending);
  step(after(1, 1, 0));
  CHECK(none.state == AlertState::kInactive);
  step(after(0, 0, 10));
  CHECK(none.state == AlertState::kInactive);
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
  for (int second = 0; second < 3'700; ++second) step(growing(9));
  CHECK(growth.state == AlertState::kInactive);
  CHECK(growth.measured.value() == doctest::Approx(9).epsilon(0.01));
  for (int second = 0; second < 3'700; ++second) step(growing(11));
  CHECK(growth.state != AlertState::kInactive);
  for (int second = 0; second < 3'700; ++second) step(growing(11));
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
