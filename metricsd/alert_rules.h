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

inline constexpr std::array<AlertRule, 33> kAlertRules{{
    {"DeadAir", "critical", ">", 2, "s", 0, "Time of the last minute in which listeners had no music",
     measures::dead_air},
    {"SilenceOnAir", "critical", "<", -69, "LUFS", 30,
     "Loudness of a station's audio over 3 s, as published or as sent",
     measures::gauges<measures::kLoudness>},
    {"AudioBufferUnderrun", "critical", ">", 2, "times", 60,
     "Times within 5 minutes that a station had underruns, if it had some in the last 90 s and before",
     measures::underruns},
    {"SynthesisLatencyHigh", "critical", ">", 150, "ms", 120,
     "99th percentile of the time to render a batch, over 5 minutes", measures::synthesis},
    {"NobodyGetsIn", "critical", ">", 90, "%", 0,
     "Share of the connections attempted in 2 minutes that were refused, if 10 or more were",
     measures::refused},
    {"NoActiveConnections", "critical", ">", 0, "connections", 120,
     "Connections attempted within 5 minutes in which none was served", measures::unserved},
    {"AuralisProcessDown", "critical", "==", 0, "", 5, "1 while the process is up",
     measures::gauges<measures::kUp>},
    {"ProbeWrong", "critical", ">", 2, "chunks", 0,
     "Chunks that auralis-probe found to be other than the station's music, up to 15 minutes ago",
     measures::probes<measures::kProbeWrong>},
    {"CrashLoop", "high", ">", 2, "starts", 0, "Starts of a process within 10 minutes",
     measures::increases<measures::kStarts>},
    {"DeliverySuccessLow", "high", "<", 95, "%", 60,
     "Audio sent in time, of what was due in the last minute to listeners that stayed",
     measures::gauges<measures::kSuccess>},
    {"ChunkDeliveryLatencyHigh", "high", ">", 100, "ms", 300,
     "99th percentile of the delivery latency, over 5 minutes", measures::delivery},
    {"AudioJitterHigh", "high", ">", 50, "ms", 300, "95th percentile of the jitter, over 5 minutes",
     measures::jitter},
    {"EndToEndLatencyHigh", "high", ">", 300, "ms", 300,
     "95th percentile of the time to a listener's sound card, excluding its buffer, over 5 minutes",
     measures::end_to_end},
    {"StartupLatencyHigh", "high", ">", 3'000, "ms", 120,
     "95th percentile of the time until a new listener's first sound, over 5 minutes", measures::startup},
    {"EngineFailover", "high", ">", 0, "failovers", 0,
     "Failovers from a failed device to the native engine within 10 minutes",
     measures::increases<measures::kFailovers>},
    {"RingBufferDepthLow", "high", "<", 200, "ms", 120, "Audio in a station's ring ahead of now",
     measures::gauges<measures::kDepth>},
    {"ProbeFailing", "medium", "==", 0, "", 360,
     "1 if auralis-probe found the station right, up to 15 minutes ago",
     measures::probes<measures::kProbeSucceeded>},
    {"CPUUtilizationHigh", "medium", ">", 90, "%", 600, "Processor time used by the whole machine",
     measures::cpu},
    {"MemoryGrowth", "medium", ">", 10, "% an hour", 3'600, "Growth of a process's own memory, over an hour",
     measures::memory_growth},
    {"MemoryHigh", "medium", ">", 2'048, "MB", 600, "A process's own memory", measures::own_memory},
    {"DeliveryVarianceHigh", "medium", ">", 30, "ms", 300,
     "Standard deviation of the intervals between two sends to a listener", measures::variance},
    {"RingBufferDepthHigh", "medium", ">", 1'800, "ms", 120, "Audio in a station's ring ahead of now",
     measures::gauges<measures::kDepth>},
    {"RingBufferUtilizationLow", "medium", "<", 10, "%", 300,
     "Share of a station's ring that is ahead of now", measures::low_utilization},
    {"RingBufferUtilizationHigh", "medium", ">", 80, "%", 300,
     "Share of a station's ring that is ahead of now", measures::gauges<measures::kUtilization>},
    {"GPUUtilizationHigh", "medium", ">", 90, "%", 600, "Share of the time in which the GPU is busy",
     measures::gauges<measures::kGpu>},
    {"GPUMemoryHigh", "medium", ">", 80, "%", 600, "Share of the GPU's memory that synthd holds",
     measures::gpu_memory},
    {"BandwidthPerStreamHigh", "medium", ">", 10, "Mbit/s", 300, "Bit rate for each connection",
     measures::bandwidth},
    {"ConfigReloadFailed", "medium", "==", 0, "", 0,
     "1 if the configuration was valid when it was last loaded", measures::gauges<measures::kReload>},
    {"PlayerSilenceHigh", "medium", ">", 0.1, "%", 600,
     "Share of silence in what players played, over 10 minutes, if that was 10 minutes or more",
     measures::player_silence},
    {"LogLoss", "medium", ">", 0, "messages", 0, "Log messages dropped within 10 minutes",
     measures::increases<measures::kLogLoss>},
    {"ConnectionsHigh", "low", ">", 50, "connections", 600, "Active connections",
     measures::gauges<measures::kActive>},
    {"ListenersBehind", "low", ">", 0, "listeners", 600,
     "Listeners behind at each moment of the last 10 minutes", measures::least_behind},
    {"DiskOrTmpfsLow", "low", "<", 10, "%", 600, "Free space of the file systems of segments and logs",
     measures::gauges<measures::kFree>},
}};

// The index of that rule in kAlertRules; its size if there is none.
constexpr std::size_t alert_index(std::string_view name) {
  std::size_t index = 0;
  while (index < kAlertRules.size() && kAlertRules[index].name != name) ++index;
  return index;
}

// Whether such an alert is to be answered at once.
constexpr bool is_urgent(const AlertRule& rule) {
  return rule.severity == "critical" || rule.severity == "high";
}

}  // namespace auralis
