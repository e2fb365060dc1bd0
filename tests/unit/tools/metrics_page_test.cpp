// SPDX-License-Identifier: MIT
#include "tools/metrics_page.h"

#include <map>
#include <set>
#include <string>

#include "tests/unit/support.h"

#include <doctest/doctest.h>

namespace auralis::metrics_page_test {
namespace {

std::vector<MetricSpec> all_specs() {
  std::vector<MetricSpec> specs = declared_metrics<SynthMetrics>();
  for (auto& spec : declared_metrics<StreamMetrics>()) specs.push_back(std::move(spec));
  for (auto& spec : declared_metrics<OwnMetrics>()) specs.push_back(std::move(spec));
  for (auto& spec : declared_metrics<ProbeMetrics>()) specs.push_back(std::move(spec));
  return specs;
}

}  // namespace

TEST_CASE("docs/metrics.md is what the declarations say; else run metrics-doc > docs/metrics.md") {
  CHECK(test::read_file(AURALIS_SOURCE_DIR "/docs/metrics.md") == metrics_page());
}

TEST_CASE(
    "The metrics of the study are all declared, under their names and types, with the bounds it wants") {
  using Type = MetricType;
  const std::map<std::string, std::pair<Type, std::vector<double>>> wanted{
      {"audio_synthesis_latency_ms", {Type::kHistogram, {10, 25, 50, 75, 100, 150, 200, 300, 500, 1000}}},
      {"audio_chunk_delivery_latency_ms", {Type::kHistogram, {10, 25, 50, 75, 100, 150, 200}}},
      {"audio_end_to_end_latency_ms", {Type::kHistogram, {200, 300}}},  // its target and its alert
      {"audio_startup_latency_ms", {Type::kHistogram, {2000, 3000}}},   // likewise
      {"audio_chunk_jitter_ms", {Type::kHistogram, {5, 10, 20, 30, 50, 75, 100, 150}}},
      {"audio_chunk_delivery_variance_ms", {Type::kGauge, {}}},
      {"ring_buffer_depth_ms", {Type::kGauge, {}}},
      {"ring_buffer_underruns_total", {Type::kCounter, {}}},
      {"ring_buffer_overruns_total", {Type::kCounter, {}}},
      {"ring_buffer_utilization_percent", {Type::kGauge, {}}},
      {"websocket_chunks_sent_total", {Type::kCounter, {}}},
      {"websocket_send_errors_total", {Type::kCounter, {}}},
      {"websocket_chunk_delivery_success_rate", {Type::kGauge, {}}},
      {"cpu_utilization_percent", {Type::kGauge, {}}},
      {"gpu_utilization_percent", {Type::kGauge, {}}},
      {"memory_usage_mb", {Type::kGauge, {}}},
      {"gpu_memory_allocated_mb", {Type::kGauge, {}}},
      {"network_bytes_sent_total", {Type::kCounter, {}}},
      {"network_bandwidth_mbps", {Type::kGauge, {}}},
      {"websocket_active_connections", {Type::kGauge, {}}},
      {"websocket_connections_total", {Type::kCounter, {}}},
      {"websocket_disconnections_total", {Type::kCounter, {}}},
      {"websocket_connection_duration_seconds", {Type::kHistogram, {}}},
  };
  CHECK(wanted.size() == 23);
  std::map<std::string, MetricSpec> declared;
  for (auto& spec : all_specs()) declared.emplace(spec.name, std::move(spec));
  for (const auto& want : wanted) {
    const std::string& name = want.first;
    const auto& [type, least_bounds] = want.second;
    REQUIRE_MESSAGE(declared.count(name) == 1, name);
    const MetricSpec& spec = declared.at(name);
    const bool type_fits = spec.type == type;
    CHECK_MESSAGE(type_fits, name);
    const bool bounds_fit =
        std::includes(spec.bounds.begin(), spec.bounds.end(), least_bounds.begin(), least_bounds.end());
    CHECK_MESSAGE(bounds_fit, name);
  }
}

TEST_CASE("Series that differ in their late label share a row of the table, which names that label once") {
  MetricBinder collector;
  for (std::size_t station = 0; station < kStationLabels; ++station) {
    collector.counter("chunks_total", "Chunks", {late_label("place", station)});
    for (const char* reason : {"a", "b"}) {
      collector.counter("dropped_total", "Dropped", {{"reason", reason}, late_label("place", station)});
    }
  }
  std::ostringstream table;
  write_metrics_table(table, "echod", collector.specs());
  CHECK(table.str() ==
        "\n## echod\n| metric | type | labels | meaning | bucket bounds | target | threshold | action | test "
        "|\n"
        "|---|---|---|---|---|---|---|---|---|\n"
        "| `chunks_total` | counter | `place` | Chunks |  |  |  |  |  |\n"
        "| `dropped_total` | counter | `reason=\"a\"`, `place`; `reason=\"b\"`, `place` | Dropped |  |  |  | "
        " |  |\n");
}

TEST_CASE("Every metric has guidance once, and a test that names it") {
  std::set<std::string_view> declared;
  const auto specs = all_specs();
  for (const auto& spec : specs) declared.insert(spec.name);
  std::set<std::string_view> guided;
  for (const auto& guidance : kMetricsGuidance) {
    INFO(guidance.name);
    CHECK(guided.insert(guidance.name).second);
    CHECK_FALSE(guidance.action.empty());
    const std::string test = test::read_file(std::string(AURALIS_SOURCE_DIR "/tests/").append(guidance.test));
    CHECK(test.find(guidance.name) != std::string::npos);
  }
  for (const auto name : declared) CHECK_MESSAGE(guided.count(name) == 1, "no guidance: " << name);
  for (const auto name : guided) CHECK_MESSAGE(declared.count(name) == 1, "not declared: " << name);
}

TEST_CASE("An alert that the guidance names exists, looks at the metric, and has a runbook") {
  std::string rules;
  for (const char* severity : {"critical", "high", "medium", "low"})
    rules +=
        test::read_file(std::string(AURALIS_SOURCE_DIR "/monitoring/prometheus/rules/") + severity + ".yml");
  const std::string runbooks = test::read_file(AURALIS_SOURCE_DIR "/docs/runbooks.md");
  for (const auto& guidance : kMetricsGuidance) {
    if (guidance.alert.empty()) continue;
    INFO(guidance.name);
    const auto begin = rules.find("- alert: " + std::string(guidance.alert) + "\n");
    REQUIRE(begin != std::string::npos);
    const std::string rule = rules.substr(begin, rules.find("- alert:", begin + 1) - begin);
    CHECK(rule.find(guidance.name) != std::string::npos);
    CHECK(runbooks.find("\n## " + std::string(guidance.alert) + "\n") != std::string::npos);
  }
}

TEST_CASE("Every declaration can be written into a segment and into a table") {
  for (const auto& spec : all_specs()) {
    CHECK_MESSAGE(!spec.help.empty(), spec.name);
    CHECK_MESSAGE(spec.help.size() < 256, spec.name);
    CHECK_MESSAGE(spec.name.size() < 96, spec.name);
    CHECK_MESSAGE(spec.help.find_first_of("|\n\\") == std::string::npos, spec.name);
  }
}

}  // namespace auralis::metrics_page_test
