// SPDX-License-Identifier: MIT
// The alerts of ../../prometheus/rules but Watchdog, which always fires: what the annotations and the table of firing alerts
// show, whatever else the Prometheus watches. A test compares.
const NAMES = [
  "DeadAir", "SilenceOnAir", "AudioBufferUnderrun", "SynthesisLatencyHigh", "NobodyGetsIn", "NoActiveConnections",
  "ErrorBudgetBurnFast", "ProbeWrong", "AuralisProcessDown", "CrashLoop", "DeliverySuccessLow", "ChunkDeliveryLatencyHigh",
  "AudioJitterHigh", "EndToEndLatencyHigh", "StartupLatencyHigh", "ErrorBudgetBurnSlow", "EngineFailover",
  "NotificationsFailing", "RingBufferDepthLow", "AudioGlitch", "OverrunsHigh", "SendErrorsHigh", "ConnectionsHigh",
  "ListenersBehind", "DiskOrTmpfsLow", "ProbeFailing", "CPUUtilizationHigh", "MemoryGrowth", "MemoryHigh",
  "DeliveryVarianceHigh", "RingBufferDepthHigh", "RingBufferUtilizationLow", "RingBufferUtilizationHigh",
  "GPUUtilizationHigh", "GPUMemoryHigh", "BandwidthPerStreamHigh", "ConfigReloadFailed", "LogLoss", "ScrapeSlow",
  "PlayerSilenceHigh",
] as const;

export type AlertName = (typeof NAMES)[number];

// WHY also without instance: AuralisProcessDown where nothing is scraped. WHY NotificationsFailing apart: it is about an Alertmanager,
// whatever machine is chosen.
export const FIRING =
  `ALERTS{alertstate="firing", instance=~"$instance|", alertname=~"${NAMES.join("|")}"} ` +
  `or ALERTS{alertstate="firing", alertname="NotificationsFailing"}`;
