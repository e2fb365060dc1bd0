// SPDX-License-Identifier: MIT
// The alert rules of monitoring/prometheus/rules, and what each compares with its threshold, measured in the
// history instead of by Prometheus. A test compares the table with the rules' files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

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

inline constexpr std::array<AlertRule, 15> kAlertRules{{
    {"DeadAir", "critical", ">", 2, "s", 0, "Time of the last minute in which listeners had no music"},
    {"SilenceOnAir", "critical", "<", -69, "LUFS", 30,
     "Loudness of a station's audio over 3 s, as published or as sent"},
    {"AudioBufferUnderrun", "critical", ">", 2, "times", 60,
     "Times within 5 minutes that a station had underruns, if it had some in the last 90 s and before"},
    {"SynthesisLatencyHigh", "critical", ">", 150, "ms", 120,
     "99th percentile of the time to render a batch, over 5 minutes"},
    {"NobodyGetsIn", "critical", ">", 90, "%", 0,
     "Share of the connections attempted in 2 minutes that were refused, if 10 or more were"},
    {"NoActiveConnections", "critical", ">", 0, "connections", 120,
     "Connections attempted within 5 minutes in which none was served"},
    {"AuralisProcessDown", "critical", "==", 0, "", 5, "1 while the process is up"},
    {"CrashLoop", "high", ">", 2, "starts", 0, "Starts of a process within 10 minutes"},
    {"DeliverySuccessLow", "high", "<", 95, "%", 60,
     "Audio sent in time, of what was due in the last minute to listeners that stayed"},
    {"ChunkDeliveryLatencyHigh", "high", ">", 100, "ms", 300,
     "99th percentile of the delivery latency, over 5 minutes"},
    {"AudioJitterHigh", "high", ">", 50, "ms", 300, "95th percentile of the jitter, over 5 minutes"},
    {"RingBufferDepthLow", "high", "<", 200, "ms", 120, "Audio in a station's ring ahead of now"},
    {"ProbeFailing", "medium", "==", 0, "", 360,
     "1 if auralis-probe found the station right, up to 15 minutes ago"},
    {"CPUUtilizationHigh", "medium", ">", 90, "%", 600, "Processor time used by the whole machine"},
    {"MemoryGrowth", "medium", ">", 10, "MB an hour", 3'600, "Growth of a process's memory, over an hour"},
}};

// The index of that rule in kAlertRules; its size if there is none.
constexpr std::size_t alert_index(std::string_view name) {
  std::size_t index = 0;
  while (index < kAlertRules.size() && kAlertRules[index].name != name) ++index;
  return index;
}

struct AlertReading {
  std::string subject;  // the station or process; empty: the service as a whole
  double measured = 0;
  bool counts = true;  // false: shown only, since the rule's other conditions do not hold
};
using AlertReadings = std::vector<AlertReading>;

// What a rule (index in kAlertRules) compares with its threshold at the history's newest point, for each
// station or process that can be measured now. Nothing for MemoryGrowth, which has a class of its own.
AlertReadings alert_readings(std::size_t rule, const History& history);

// The growth of each process's own memory over an hour, longer than the history is kept. One thread at a
// time.
class MemoryGrowth {
 public:
  // Call after each History::add().
  void note(const History& history);

  // In MB an hour, by process.
  AlertReadings readings() const;

 private:
  struct Point {
    std::int64_t now_ns;
    double mb;
  };

  std::map<std::string, std::deque<Point>> points_;  // by process
};

}  // namespace auralis
