// SPDX-License-Identifier: MIT
// The alert rules evaluated each second, so that the dashboard tells what is wrong, and since when, without
// Prometheus.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "metricsd/alert_rules.h"
#include "metricsd/history.h"

namespace auralis {

enum class AlertState { kInactive, kPending, kFiring };

struct Condition {
  AlertState state = AlertState::kInactive;
  std::int64_t since_unix_ns = 0;  // when it came into that state
  std::string subject;             // the station or process that is worst; empty: there are none
  std::optional<double> measured;  // of the subject; nothing if it cannot be measured now
};

// How much of the bad chunks that the target allows there were in the history kept, counted per listener.
struct ErrorBudget {
  static constexpr double kTargetPercent =
      99;             // of chunks that are music, and sent within a second of their due time
  double due = 0;     // to listeners that stayed
  double lost = 0;    // of those, not sent in time
  double silent = 0;  // of those, silence in place of music, as if all listeners heard the worst station

  // 100: none was bad; below 0: more than is allowed. Nothing if no chunk was due.
  std::optional<double> left_percent() const;
};
// `chunk_ns`: the duration of a chunk.
ErrorBudget error_budget(const History& history, std::int64_t chunk_ns);

// One thread at a time.
class Conditions {
 public:
  // Evaluates all rules at the history's newest point. Call after each History::add().
  void evaluate(const History& history);

  // In the order of kAlertRules.
  const std::array<Condition, kAlertRules.size()>& now() const { return conditions_; }

 private:
  void evaluate(std::size_t rule, const AlertReadings& readings, const History& history);

  std::array<Condition, kAlertRules.size()> conditions_;
  std::array<std::map<std::string, std::int64_t>, kAlertRules.size()> true_since_ns_;  // by subject
  MemoryHour memory_;
};

}  // namespace auralis
