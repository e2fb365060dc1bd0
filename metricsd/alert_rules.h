// SPDX-License-Identifier: MIT
// The alert rules of monitoring/prometheus/rules that metricsd evaluates itself, and what each compares with
// its threshold. A test compares the table with the rules' files. Not among them: those over a longer time
// than the history has, and those about Prometheus and Alertmanager themselves.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "metricsd/alert_measures.h"

namespace auralis {

struct AlertRule {
  std::string_view name;
  std::string_view severity;
  std::string_view comparison;  // ">", "<" or "==": how what is measured compares with the threshold
  double threshold = 0;
  std::string_view unit;
  std::int64_t for_s = 0;    // for how long, before it fires
  std::string_view meaning;  // of what is measured, for people
  // At the history's newest point, for each station or process that can be measured now.
  AlertReadings (*measure)(const AlertInput& input) = nullptr;
};

inline constexpr std::size_t kAlertCount = 32;
extern const std::array<AlertRule, kAlertCount> kAlertRules;

// The index of that rule in kAlertRules; kAlertCount if there is none.
std::size_t alert_index(std::string_view name);

// Whether an alert of that severity is to be answered at once: critical or high.
bool is_urgent(const AlertRule& rule);

}  // namespace auralis
