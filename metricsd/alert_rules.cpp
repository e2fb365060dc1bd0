// SPDX-License-Identifier: MIT
#include "metricsd/alert_rules.h"

#include <algorithm>

namespace auralis {

using namespace measures;

const std::array<AlertRule, kAlertCount> kAlertRules{{
    {"DeadAir", "critical", ">", 2, "s", 0, "Time of the last minute in which listeners had no music",
     dead_air},
    {"SilenceOnAir", "critical", "<", -69, "LUFS", 30,
     "Loudness of a station's audio over 3 s, as published or as sent", gauges<kLoudness>},
    {"AudioBufferUnderrun", "critical", ">", 2, "times", 60,
     "Times within 5 minutes that a station had underruns, if it had some in the last 90 s and before",
     underruns},
    {"SynthesisLatencyHigh", "critical", ">", 150, "ms", 120,
     "99th percentile of the time to render a batch, over 5 minutes", synthesis},
    {"NobodyGetsIn", "critical", ">", 90, "%", 0,
     "Share of the connections attempted in 2 minutes that were refused, if 10 or more were", refused},
    {"NoActiveConnections", "critical", ">", 0, "connections", 120,
     "Connections attempted within 5 minutes in which none was served", unserved},
    {"AuralisProcessDown", "critical", "==", 0, "", 5, "1 while the process is up", gauges<kUp>},
    {"ProbeWrong", "critical", ">", 0, "chunks", 0,
     "Chunks that auralis-probe found to be other than the station's music, up to 15 minutes ago",
     probes<kProbeWrong>},
    {"CrashLoop", "high", ">", 2, "starts", 0, "Starts of a process within 10 minutes", increases<kStarts>},
    {"DeliverySuccessLow", "high", "<", 95, "%", 60,
     "Audio sent in time, of what was due in the last minute to listeners that stayed", gauges<kSuccess>},
    {"ChunkDeliveryLatencyHigh", "high", ">", 100, "ms", 300,
     "99th percentile of the delivery latency, over 5 minutes", delivery},
    {"AudioJitterHigh", "high", ">", 50, "ms", 300, "95th percentile of the jitter, over 5 minutes", jitter},
    {"EndToEndLatencyHigh", "high", ">", 300, "ms", 300,
     "99th percentile of the time until a listener's sound card plays, over 5 minutes", end_to_end},
    {"StartupLatencyHigh", "high", ">", 3'000, "ms", 120,
     "95th percentile of the time until a new listener's first sound, over 5 minutes", startup},
    {"EngineFailover", "high", ">", 0, "failovers", 0,
     "Failovers from a failed device to the native engine within 10 minutes", increases<kFailovers>},
    {"RingBufferDepthLow", "high", "<", 200, "ms", 120, "Audio in a station's ring ahead of now",
     gauges<kDepth>},
    {"ProbeFailing", "medium", "==", 0, "", 360,
     "1 if auralis-probe found the station right, up to 15 minutes ago", probes<kProbeSucceeded>},
    {"CPUUtilizationHigh", "medium", ">", 90, "%", 600, "Processor time used by the whole machine", cpu},
    {"MemoryGrowth", "medium", ">", 10, "% an hour", 3'600, "Growth of a process's own memory, over an hour",
     memory_growth},
    {"MemoryHigh", "medium", ">", 2'048, "MB", 600, "A process's own memory", own_memory},
    {"DeliveryVarianceHigh", "medium", ">", 30, "ms", 300,
     "Standard deviation of the intervals between two sends to a listener", gauges<kVariance>},
    {"RingBufferDepthHigh", "medium", ">", 1'800, "ms", 120, "Audio in a station's ring ahead of now",
     gauges<kDepth>},
    {"RingBufferUtilizationLow", "medium", "<", 10, "%", 300,
     "Share of a station's ring that is ahead of now", gauges<kUtilization>},
    {"RingBufferUtilizationHigh", "medium", ">", 80, "%", 300,
     "Share of a station's ring that is ahead of now", gauges<kUtilization>},
    {"GPUUtilizationHigh", "medium", ">", 90, "%", 600, "Share of the time in which the GPU is busy",
     gauges<kGpu>},
    {"GPUMemoryHigh", "medium", ">", 80, "%", 600, "Share of the GPU's memory that synthd holds", gpu_memory},
    {"BandwidthPerStreamHigh", "medium", ">", 10, "Mbit/s", 300, "Bit rate for each connection", bandwidth},
    {"ConfigReloadFailed", "medium", "==", 0, "", 0,
     "1 if the configuration was valid when it was last loaded", gauges<kReload>},
    {"LogLoss", "medium", ">", 0, "messages", 0, "Log messages dropped within 10 minutes",
     increases<kLogLoss>},
    {"ConnectionsHigh", "low", ">", 50, "connections", 600, "Active connections", gauges<kActive>},
    {"ListenersBehind", "low", ">", 0, "listeners", 600,
     "Listeners behind at each moment of the last 10 minutes", least_behind},
    {"DiskOrTmpfsLow", "low", "<", 10, "%", 600, "Free space of the file systems of segments and logs",
     gauges<kFree>},
}};

std::size_t alert_index(std::string_view name) {
  const auto found = std::find_if(kAlertRules.begin(), kAlertRules.end(),
                                  [&](const AlertRule& rule) { return rule.name == name; });
  return static_cast<std::size_t>(found - kAlertRules.begin());
}

bool is_urgent(const AlertRule& rule) { return rule.severity == "critical" || rule.severity == "high"; }

}  // namespace auralis
