// SPDX-License-Identifier: MIT
// The main dashboard: the four rows and sixteen panels of the specification, in its order.
import { board } from "./board";
import { area, gauge, heatmap, histogram, lines, quantiles, RIGHT_AXIS, stat, steps } from "./panels";
import { OF_STATION, ON } from "./variables";

const NO_GPU = "No GPU: the native engine, or OpenCL on the processor, renders. See auralis_engine_utilization_percent";
const NOBODY = "Nobody listens";

function audio_quality() {
  return [
    lines(
      {
        title: "Audio Synthesis Latency (P50, P95, P99)",
        description:
          "Time to render one batch and publish it. P99 belongs below 100 ms; above 150 ms SynthesisLatencyHigh pages.",
        unit: "ms",
        daemons: ["synthd"],
        alerts: ["SynthesisLatencyHigh"],
      },
      quantiles("audio_synthesis_latency_ms"),
      steps(["green", null], ["yellow", 100], ["red", 150]),
    ).min(0),
    lines(
      {
        title: "Chunk Delivery Latency (P50, P95, P99)",
        description:
          "From the moment that a chunk is due to a listener to its last byte accepted by the kernel. P99 belongs below 50 ms; " +
          "above 100 ms ChunkDeliveryLatencyHigh alerts. Empty while nobody listens.",
        unit: "ms",
        daemons: ["streamd"],
        alerts: ["ChunkDeliveryLatencyHigh"],
        no_data: NOBODY,
      },
      quantiles("audio_chunk_delivery_latency_ms"),
      steps(["green", null], ["yellow", 50], ["red", 100]),
    ).min(0),
    stat(
      {
        title: "Buffer Underruns (Counter)",
        description:
          "Chunks that were not there when due, in the time shown: 0 is the only good value. AudioBufferUnderrun pages when " +
          "they keep happening, DeadAir when they last for two seconds.",
        unit: "short",
        daemons: ["synthd", "streamd"],
        alerts: ["AudioBufferUnderrun", "DeadAir"],
      },
      [
        {
          name: "{{station}} {{instance}}",
          expr: `sum by (instance, station) (increase(ring_buffer_underruns_total{${OF_STATION}}[$__range]))`,
        },
      ],
      steps(["green", null], ["red", 0.5]),
    )
      .decimals(0)
      .min(0),
    gauge(
      {
        title: "Active WebSocket Connections",
        description: "Listeners connected now. Above 50 is worth a look at the machine's metrics, not an alarm.",
        unit: "short",
        daemons: ["streamd"],
        alerts: ["ConnectionsHigh", "NoActiveConnections", "NobodyGetsIn"],
      },
      [{ name: "listeners {{instance}}", expr: `websocket_active_connections{${ON}}` }],
      100,
      steps(["green", null], ["red", 50]),
    ),
  ];
}

function buffer_health() {
  const sent = `sum by (instance) (rate(websocket_chunks_sent_total{${ON}}[$__rate_interval]))`;
  return [
    area(
      {
        title: "Ring Buffer Depth Over Time",
        description:
          "Music rendered ahead of now. It belongs between 500 and 1000 ms; below 200 ms RingBufferDepthLow alerts, above " +
          "1800 ms RingBufferDepthHigh. A synthd that is down has no depth, and a gap in the line.",
        unit: "ms",
        daemons: ["synthd"],
        alerts: ["RingBufferDepthLow", "RingBufferDepthHigh"],
      },
      [
        { name: "{{station}} {{instance}}", expr: `ring_buffer_depth_ms{${OF_STATION}}` },
        {
          name: "{{station}} {{instance}}, mean of 1 min",
          expr: `avg_over_time(ring_buffer_depth_ms{${OF_STATION}}[1m])`,
        },
      ],
      steps(["red", null], ["yellow", 200], ["green", 500], ["yellow", 1000], ["red", 1800]),
    ).overrideByRegexp(".*mean of 1 min", [
      { id: "custom.fillOpacity", value: 0 },
      { id: "custom.lineWidth", value: 2 },
    ]),
    gauge(
      {
        title: "Buffer Utilization Percentage",
        description:
          "Share of the ring that holds music yet to be played. 25 to 50 % is right; above 80 % the ring is too short, and below " +
          "10 % it is too empty, or longer than needed: RingBufferUtilizationLow fires if also the depth is below 500 ms.",
        unit: "percent",
        daemons: ["synthd"],
        alerts: ["RingBufferUtilizationLow", "RingBufferUtilizationHigh"],
      },
      [{ name: "{{station}} {{instance}}", expr: `ring_buffer_utilization_percent{${OF_STATION}}` }],
      100,
      steps(["red", null], ["yellow", 10], ["green", 25], ["yellow", 50], ["red", 80]),
    ),
    heatmap(
      {
        title: "Audio Chunk Jitter",
        description:
          "How far the interval between two chunks to a listener is from a chunk's length; the darker, the more chunks. P95 " +
          "belongs below 20 ms; above 50 ms AudioJitterHigh alerts. Of all machines chosen together.",
        unit: "ms",
        daemons: ["streamd"],
        alerts: ["AudioJitterHigh", "DeliveryVarianceHigh"],
        no_data: NOBODY,
      },
      `sum by (le) (rate(audio_chunk_jitter_ms_bucket{${ON}}[$__rate_interval]))` +
        ` and on () sum(rate(audio_chunk_jitter_ms_count{${ON}}[$__rate_interval])) > 0`,
    ),
    lines(
      {
        title: "WebSocket Chunk Send Rate",
        description:
          "Chunks sent a second, and on the right axis to each listener: chunks of 100 ms are 10 a second, level.",
        unit: "ops",
        daemons: ["streamd"],
        alerts: ["DeliverySuccessLow"],
      },
      [
        { name: "sent {{instance}}", expr: sent },
        {
          name: "sent to each listener {{instance}}",
          expr: `${sent} / (sum by (instance) (websocket_active_connections{${ON}}) > 0)`,
        },
      ],
    )
      .min(0)
      .overrideByRegexp("sent to each listener.*", [RIGHT_AXIS]),
  ];
}

function system_resources() {
  return [
    lines(
      {
        title: "CPU Utilization",
        description:
          "The whole machine, and each daemon's share of it. Below 80 % is right; above 90 % for ten minutes CPUUtilizationHigh tells.",
        unit: "percent",
        daemons: ["synthd", "streamd", "metricsd"],
        alerts: ["CPUUtilizationHigh"],
      },
      [
        {
          name: "whole machine {{instance}}",
          expr: `avg_over_time(cpu_utilization_percent{${ON}, process=""}[$__rate_interval])`,
        },
        {
          name: "{{process}} {{instance}}",
          expr: `avg_over_time(cpu_utilization_percent{${ON}, process!="", process=~"$process"}[$__rate_interval])`,
        },
      ],
      steps(["green", null], ["yellow", 80], ["red", 90]),
    )
      .min(0)
      .max(100)
      .overrideByRegexp("whole machine.*", [{ id: "custom.lineWidth", value: 2 }]),
    lines(
      {
        title: "GPU Utilization (if available)",
        description:
          "The GPU's own counter or, where it has none, synthd's busy share of it. Below 80 % is right; above 90 % " +
          "GPUUtilizationHigh tells. Empty where no GPU renders.",
        unit: "percent",
        daemons: ["synthd"],
        alerts: ["GPUUtilizationHigh", "EngineFailover"],
        no_data: NO_GPU,
      },
      [{ name: "GPU {{instance}}", expr: `avg_over_time(gpu_utilization_percent{${ON}}[$__rate_interval])` }],
      steps(["green", null], ["yellow", 80], ["red", 90]),
    )
      .min(0)
      .max(100),
    area(
      {
        title: "Memory Usage",
        description:
          "Resident memory of each daemon, and what of it is its own (anon): the rest is programs, files and the shared ring. " +
          "Own memory above 2 GB (MemoryHigh), or growing by over 10 % an hour (MemoryGrowth), is wrong.",
        unit: "mbytes",
        daemons: ["synthd", "streamd", "metricsd"],
        alerts: ["MemoryHigh", "MemoryGrowth"],
      },
      [
        { name: "{{process}} {{instance}}", expr: `memory_usage_mb{${ON}, process=~"$process"}` },
        {
          name: "{{process}} {{instance}}, its own",
          expr: `auralis_memory_mb{${ON}, process=~"$process", kind="anon"}`,
        },
      ],
      steps(["green", null], ["red", 2048]),
    )
      .min(0)
      .overrideByRegexp(".*its own", [{ id: "custom.fillOpacity", value: 0 }]),
    area(
      {
        title: "GPU Memory (CUDA only)",
        description:
          "What synthd holds on its GPU: below half of the GPU's memory is right, above 80 % GPUMemoryHigh tells. That line " +
          "is drawn where the driver says how much there is. Empty where no GPU renders.",
        unit: "mbytes",
        daemons: ["synthd"],
        alerts: ["GPUMemoryHigh"],
        no_data: NO_GPU,
      },
      [
        { name: "allocated {{instance}}", expr: `gpu_memory_allocated_mb{${ON}}` },
        { name: "80 % of all {{instance}}", expr: `0.8 * auralis_gpu_memory_total_mb{${ON}}` },
      ],
    )
      .min(0)
      .overrideByRegexp("80 % of all.*", [
        { id: "custom.fillOpacity", value: 0 },
        { id: "custom.lineStyle", value: { fill: "dash", dash: [10, 10] } },
        { id: "color", value: { mode: "fixed", fixedColor: "red" } },
      ]),
  ];
}

function network_and_connections() {
  const a_minute = (counter: string) => `60 * sum by (instance) (rate(${counter}{${ON}}[$__rate_interval]))`;
  return [
    area(
      {
        title: "Network Bandwidth",
        description:
          "All that is sent to listeners, and on the right axis to each of them: 1.4 Mbit/s as PCM, 1.9 as base64 JSON. Above " +
          "10 for one listener something is sent twice.",
        unit: "Mbits",
        daemons: ["streamd"],
        alerts: ["BandwidthPerStreamHigh"],
      },
      [
        { name: "total {{instance}}", expr: `network_bandwidth_mbps{${ON}}` },
        {
          name: "to each listener {{instance}}",
          expr: `network_bandwidth_mbps{${ON}} / (websocket_active_connections{${ON}} > 0)`,
        },
      ],
    )
      .min(0)
      .overrideByRegexp("to each listener.*", [
        RIGHT_AXIS,
        { id: "custom.fillOpacity", value: 0 },
        { id: "custom.thresholdsStyle", value: { mode: "dashed" } },
        { id: "thresholds", value: steps(["green", null], ["red", 10]).build() },
      ]),
    histogram(
      {
        title: "WebSocket Connection Duration",
        description:
          "How long the connections lasted that ended in the time shown; each bar carries its bucket's upper bound in seconds. " +
          "Many short ones mean that listeners are thrown out. Needs Grafana 10.3.",
        unit: "short",
        daemons: ["streamd"],
        no_data: "No connection ended in the time shown",
      },
      `sum by (le) (increase(websocket_connection_duration_seconds_bucket{${ON}}[$__range]))` +
        ` and on () sum(increase(websocket_connection_duration_seconds_count{${ON}}[$__range])) > 0`,
    ),
    lines(
      {
        title: "Chunks Sent vs. Errors",
        description:
          "Left: chunks sent a second. Right: what went wrong, errors and drops by reason. A drop at disconnect is normal; " +
          "backlog is listeners who cannot keep up.",
        unit: "ops",
        daemons: ["streamd"],
        alerts: ["SendErrorsHigh", "OverrunsHigh", "ListenersBehind"],
      },
      [
        {
          name: "sent {{instance}}",
          expr: `sum by (instance) (rate(websocket_chunks_sent_total{${ON}}[$__rate_interval]))`,
        },
        {
          name: "errors {{instance}}",
          expr: `sum by (instance) (rate(websocket_send_errors_total{${ON}}[$__rate_interval]))`,
        },
        {
          name: "dropped: {{reason}} {{instance}}",
          expr: `sum by (instance, reason) (rate(websocket_chunks_dropped_total{${ON}}[$__rate_interval]))`,
        },
      ],
    )
      .min(0)
      .overrideByRegexp("errors.*", [RIGHT_AXIS, { id: "color", value: { mode: "fixed", fixedColor: "red" } }])
      .overrideByRegexp("dropped: .*", [RIGHT_AXIS]),
    lines(
      {
        title: "Active Connections Timeline",
        description:
          "Listeners connected; of those, the ones of the chosen stations and formats; and on the right axis how many came, " +
          "went and were turned away a minute.",
        unit: "short",
        daemons: ["streamd"],
        alerts: ["ConnectionsHigh", "NobodyGetsIn"],
      },
      [
        { name: "listeners {{instance}}", expr: `websocket_active_connections{${ON}}` },
        { name: "came, a minute {{instance}}", expr: a_minute("websocket_connections_total") },
        { name: "went, a minute {{instance}}", expr: a_minute("websocket_disconnections_total") },
        {
          name: "turned away, a minute: {{reason}} {{instance}}",
          expr: `60 * sum by (instance, reason) (rate(websocket_connections_rejected_total{${ON}}[$__rate_interval]))`,
        },
        {
          name: "in {{format}} {{instance}}",
          expr: `sum by (instance, format) (auralis_listeners{${OF_STATION}, format=~"$format"})`,
        },
      ],
      steps(["green", null], ["red", 50]),
    )
      .min(0)
      .overrideByRegexp(".*, a minute.*", [RIGHT_AXIS]),
  ];
}

export function auralis() {
  return board({
    uid: "auralis",
    title: "Auralis",
    description:
      "Is the music whole, does it reach the listeners, and does the machine bear it? Single listeners are no variable here: a " +
      "label for each would never stop growing.",
    other: { uid: "auralis-slo", title: "Auralis: SLO and probe" },
    variables: ["datasource", "logs", "site", "instance", "process", "station", "format"],
    rows: [
      { title: "Audio Quality Metrics (Most Critical)", panels: audio_quality() },
      { title: "Buffer Health", panels: buffer_health() },
      { title: "System Resources", panels: system_resources() },
      { title: "Network and Connections", panels: network_and_connections() },
    ],
  });
}
