// SPDX-License-Identifier: MIT
#include "metricsd/alert_rules.h"

#include <filesystem>
#include <map>
#include <optional>
#include <sstream>

#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>

namespace auralis::alert_rules_test {

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
  if (seconds % 3'600 == 0) return std::to_string(seconds / 3'600) + "h";
  return seconds % 60 == 0 ? std::to_string(seconds / 60) + "m" : std::to_string(seconds) + "s";
}

constexpr const char* kDelivery = "audio_chunk_delivery_latency_ms";
constexpr const char* kHandover = "auralis_chunk_handover_latency_ms";

struct RulesFixture : HistoryFixture {
  std::map<std::string, double> totals;

  // A counter after it rose by `more`.
  MetricSample rise(const std::string& name, double more, std::vector<MetricLabel> labels = {}) {
    std::string key = name;
    for (const auto& label : labels) key += "," + label.name + "=" + label.value;
    return counter_of(name, totals[key] += more, std::move(labels));
  }
  // A histogram with the bounds 100 and 1000 ms after it counted as many more in each bucket.
  MetricSample counted(const std::string& name, double fast, double slow, double slowest) {
    return histogram_of(
        name, {50, 100, 1'000},
        {totals[name + "0"] += fast, 0, totals[name + "1"] += slow, totals[name + "2"] += slowest});
  }

  AlertReadings readings(std::string_view name) const { return alert_readings(alert_index(name), history); }
  // What is measured of that subject, if it counts.
  std::optional<double> measured(std::string_view rule, std::string_view subject = "") const {
    for (const auto& reading : readings(rule)) {
      if (reading.subject == subject && reading.counts) return reading.measured;
    }
    return std::nullopt;
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
    CHECK(contains(rule, " for: ") == (alert.for_s > 0));
    if (alert.for_s > 0) CHECK(contains(rule, " for: " + duration(alert.for_s) + "\n"));
    std::ostringstream compared;
    compared << " " << alert.comparison << " " << alert.threshold << "\n";
    CHECK(contains(rule.substr(0, rule.find("labels:")), compared.str()));
  }
}

TEST_CASE("kAlertRules: the number of a change's scrapes is that of the file for Prometheus") {
  CHECK(contains(read_file(AURALIS_SOURCE_DIR "/monitoring/prometheus/prometheus.yml"),
                 "metrics_path: /metrics\n    scrape_interval: 5s\n"));
}

TEST_CASE_FIXTURE(RulesFixture, "DeadAir: silence that is sent in place of a station's music, in a minute") {
  const auto sent = [&](double underrun, double muted, double personal) {
    const auto silence = [&](double more, const char* station, const char* cause) {
      return rise("auralis_audio_silence_seconds_total", more,
                  {{"station", station}, {"at", "sent"}, {"cause", cause}});
    };
    add({silence(underrun, "day", "underrun"), silence(muted, "day", "muted"),
         silence(personal, "personal", "underrun"),
         rise("auralis_audio_silence_seconds_total", 1,
              {{"station", "day"}, {"at", "published"}, {"cause", "zero"}})});
  };
  sent(0, 0, 0);
  sent(1, 1, 1);
  sent(1, 1, 1);
  sent(0.5, 1, 1);
  CHECK(measured("DeadAir", "day") == 2.5);
  CHECK_FALSE(measured("DeadAir", "personal"));
  for (int second = 0; second < 58; ++second) sent(0, 1, 1);
  CHECK(measured("DeadAir", "day") == 1.5);
  for (int second = 0; second < 2; ++second) sent(0, 1, 1);
  CHECK(measured("DeadAir", "day") == 0);
}

TEST_CASE_FIXTURE(RulesFixture, "DeadAir: music lost or late since streamd stood still, for each listener") {
  const auto sent = [&](double due, double overrun, double backlog, double late) {
    add({rise("auralis_chunks_due_total", due),
         rise("websocket_chunks_dropped_total", overrun, {{"reason", "overrun"}}),
         rise("websocket_chunks_dropped_total", backlog, {{"reason", "backlog"}}),
         counted(kHandover, due - overrun - late, 0, late)});
  };
  sent(0, 0, 0, 0);
  for (int second = 0; second < 52; ++second) sent(100, 0, 10, 0);
  CHECK(measured("DeadAir") == 0);
  // Ten listeners, and a freeze of 7 s.
  sent(800, 500, 0, 100);
  CHECK(measured("DeadAir") == doctest::Approx(60 * 600.0 / 6'000));
}

TEST_CASE_FIXTURE(RulesFixture, "DeadAir: streamd stands still, if it has listeners") {
  const auto still = [&](double age_s, double listeners) {
    add({gauge_of("auralis_heartbeat_age_seconds", age_s, {{"process", "streamd"}}),
         gauge_of("websocket_active_connections", listeners)});
  };
  still(3, 1);
  CHECK(measured("DeadAir", "streamd") == 3);
  still(3, 0);
  CHECK_FALSE(measured("DeadAir", "streamd"));
}

TEST_CASE_FIXTURE(RulesFixture, "NobodyGetsIn: refusals for any reason, unless they are few") {
  const auto attempts = [&](double origin, double limit, double accepted) {
    add({rise("websocket_connections_rejected_total", origin, {{"reason", "origin"}}),
         rise("websocket_connections_rejected_total", limit, {{"reason", "limit"}}),
         rise("websocket_connections_total", accepted)});
  };
  attempts(0, 0, 0);
  CHECK_FALSE(measured("NobodyGetsIn"));
  attempts(5, 4, 0);
  CHECK_FALSE(measured("NobodyGetsIn"));
  attempts(0, 1, 0);
  CHECK(measured("NobodyGetsIn") == 100);
  attempts(0, 0, 10);
  CHECK(measured("NobodyGetsIn") == 50);
}

TEST_CASE_FIXTURE(RulesFixture, "NoActiveConnections: attempts to listen of which none succeeds") {
  const auto after = [&](double origin, double path, double active, double chunks) {
    add({gauge_of("websocket_active_connections", active), rise("websocket_connections_total", 0),
         rise("websocket_chunks_sent_total", chunks),
         rise("websocket_connections_rejected_total", origin, {{"reason", "origin"}}),
         rise("websocket_connections_rejected_total", path, {{"reason", "path"}})});
  };
  after(0, 0, 0, 0);
  after(0, 5, 0, 0);
  CHECK(measured("NoActiveConnections") == 0);
  after(2, 0, 0, 0);
  CHECK(measured("NoActiveConnections") == 2);
  after(1, 0, 1, 0);
  CHECK(measured("NoActiveConnections") == 0);
  after(0, 0, 0, 10);
  CHECK(measured("NoActiveConnections") == 0);
}

TEST_CASE_FIXTURE(RulesFixture, "CrashLoop: starts of a process within ten minutes") {
  const auto started = [&](double synthd, double streamd) {
    add({rise("auralis_daemon_starts_total", synthd, {{"process", "synthd"}}),
         rise("auralis_daemon_starts_total", streamd, {{"process", "streamd"}})});
  };
  started(1, 1);
  for (int start = 0; start < 3; ++start) started(0, 1);
  CHECK(measured("CrashLoop", "synthd") == 0);
  CHECK(measured("CrashLoop", "streamd") == 3);
  for (int second = 0; second < 600; ++second) started(0, 0);
  CHECK(measured("CrashLoop", "streamd") == 0);
}

TEST_CASE_FIXTURE(RulesFixture, "SynthesisLatencyHigh: the quantile over five minutes") {
  const auto rendered = [&](double fast, double slow) {
    add({counted("audio_synthesis_latency_ms", fast, slow, 0)});
  };
  rendered(0, 0);
  CHECK_FALSE(measured("SynthesisLatencyHigh"));
  for (int second = 0; second < 300; ++second) rendered(10, 0);
  CHECK(measured("SynthesisLatencyHigh").value() < 100);
  for (int second = 0; second < 30; ++second) rendered(5, 5);
  CHECK(measured("SynthesisLatencyHigh").value() > 150);
  for (int second = 0; second < 301; ++second) rendered(10, 0);
  CHECK(measured("SynthesisLatencyHigh").value() < 100);
}

TEST_CASE_FIXTURE(RulesFixture,
                  "ChunkDeliveryLatencyHigh: not for one slow line, few chunks, or what is over") {
  const auto sent = [&](double fast, double slow, double handed_late, double behind, double active) {
    add({counted(kDelivery, fast, slow, 0), counted(kHandover, fast, handed_late, 0),
         gauge_of("auralis_listeners_behind", behind), gauge_of("websocket_active_connections", active)});
  };
  const auto for_a_minute = [&](double fast, double slow, double handed_late, double behind, double active) {
    for (int second = 0; second < 60; ++second) sent(fast, slow, handed_late, behind, active);
  };
  sent(0, 0, 0, 0, 0);
  for_a_minute(390, 10, 0, 1, 40);
  CHECK_FALSE(measured("ChunkDeliveryLatencyHigh"));
  CHECK(readings("ChunkDeliveryLatencyHigh").front().measured > 100);
  INFO("more than one in twenty are behind, or the service is late itself");
  for (int minute = 0; minute < 5; ++minute) for_a_minute(390, 10, 0, 3, 40);
  CHECK(measured("ChunkDeliveryLatencyHigh").value() > 100);
  for (int minute = 0; minute < 5; ++minute) for_a_minute(390, 10, 10, 0, 40);
  CHECK(measured("ChunkDeliveryLatencyHigh").value() > 100);
  INFO("it was so a minute ago");
  for_a_minute(400, 0, 0, 0, 40);
  CHECK_FALSE(measured("ChunkDeliveryLatencyHigh"));
  INFO("a single listener's 10 chunks a second for less than 50 s");
  for (int minute = 0; minute < 5; ++minute) for_a_minute(0, 0, 0, 0, 0);
  for (int second = 0; second < 49; ++second) sent(0, 10, 10, 1, 1);
  CHECK_FALSE(measured("ChunkDeliveryLatencyHigh"));
  sent(0, 10, 10, 1, 1);
  CHECK(measured("ChunkDeliveryLatencyHigh").value() > 100);
}

}  // namespace auralis::alert_rules_test
