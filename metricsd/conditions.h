// SPDX-License-Identifier: MIT
// The alert rules of monitoring/prometheus/rules, evaluated here each second, so that the dashboard tells
// what is wrong, and since when, without Prometheus. A test compares the table with the rules' files.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "metricsd/history.h"

namespace auralis {

struct AlertRule {
  std::string_view name;
  std::string_view severity;
  std::string_view comparison;  // ">", "<" or "==": how what is measured compares with the threshold
  double threshold = 0;
  std::string_view unit;
  std::int64_t for_s = 0;    // for how long, before it fires
  std::string_view meaning;  // of what is measured, for people
};

inline constexpr std::array<AlertRule, 11> kAlertRules{{
    {"AudioBufferUnderrun", "critical", ">", 2, "times", 60,
     "Times within 5 minutes that a station had underruns, if it had one in the last 2 minutes"},
    {"SynthesisLatencyHigh", "critical", ">", 150, "ms", 120,
     "99th percentile of the time to render a batch, over 5 minutes"},
    {"NoActiveConnections", "critical", ">", 0, "connections", 120,
     "Connections attempted within 5 minutes in which none was served"},
    {"AuralisProcessDown", "critical", "==", 0, "", 60, "1 while the process is up"},
    {"ChunkDeliveryLatencyHigh", "high", ">", 100, "ms", 300,
     "99th percentile of the delivery latency, over 5 minutes"},
    {"AudioJitterHigh", "high", ">", 50, "ms", 300, "95th percentile of the jitter, over 5 minutes"},
    {"RingBufferDepthLow", "high", "<", 200, "ms", 120, "Audio in a station's ring ahead of now"},
    {"StationSilent", "high", "<", 0.0001, "of full scale", 60,
     "Peak of a station's audio over 3 s, as published or as sent"},
    {"ProbeFailing", "medium", "==", 0, "", 360,
     "1 if auralis-probe found the station right, up to 15 minutes ago"},
    {"CPUUtilizationHigh", "medium", ">", 90, "%", 600, "Processor time used by the whole machine"},
    {"MemoryGrowth", "medium", ">", 10, "MB an hour", 3'600, "Growth of a process's memory, over an hour"},
}};

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
  // Memory of a process, over the hour that MemoryGrowth looks back.
  struct MemoryPoint {
    std::int64_t now_ns;
    double mb;
  };
  struct Reading {
    std::string subject;
    double measured;
  };
  using Readings = std::vector<Reading>;

  void note_memory(const History& history);
  Readings readings_of(std::size_t rule, const History& history) const;
  Readings memory_growth() const;
  static Readings probes(const History& history);
  void evaluate(std::size_t rule, const Readings& readings, const History& history);

  std::array<Condition, kAlertRules.size()> conditions_;
  std::array<std::map<std::string, std::int64_t>, kAlertRules.size()> true_since_ns_;  // by subject
  std::map<std::string, std::deque<MemoryPoint>> memory_;                              // by process
};

}  // namespace auralis
