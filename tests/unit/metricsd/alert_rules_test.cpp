// SPDX-License-Identifier: MIT
#include "metricsd/alert_rules.h"

#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "tests/unit/support.h"

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

}  // namespace

TEST_CASE("kAlertRules: names, severities, thresholds and durations are those of Prometheus' rules") {
  const auto rules = prometheus_rules();
  const std::string limit = "scalar(auralis:connections:expected)";
  CHECK(contains(read_file(AURALIS_SOURCE_DIR "/monitoring/prometheus/rules/recording.yml"),
                 "- record: auralis:connections:expected\n        expr: vector(50)\n"));
  // Over a longer time than the history has, or about Prometheus and Alertmanager themselves.
  const std::set<std::string> not_here{
      "AudioGlitch",  "ErrorBudgetBurnFast", "ErrorBudgetBurnSlow", "NotificationsFailing",
      "OverrunsHigh", "ScrapeSlow",          "SendErrorsHigh",      "Watchdog"};
  CHECK(rules.size() == kAlertRules.size() + not_here.size());
  for (const auto& name : not_here) CHECK(rules.count(name) == 1);
  for (const auto& alert : kAlertRules) {
    const auto found = rules.find(std::string(alert.name));
    REQUIRE_MESSAGE(found != rules.end(), alert.name);
    std::string rule = found->second;
    if (alert.name == "ConnectionsHigh") rule.replace(rule.find("scalar("), limit.size(), "50");
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

}  // namespace auralis::alert_rules_test
