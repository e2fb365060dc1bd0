// SPDX-License-Identifier: MIT
// The sixteen panels in their four rows: what each shows of the data, its thresholds, and why it is empty. Pure.
//
// A panel's show(data, view) returns what its kind draws (charts.js, tiles.js); `view`: { first, station, process,
// span_s }, where `first` is the first visible point:
//   line, area   { lines: [{ label, values, right, color, shown }] }, a value for each visible point; `shown`: what the
//                legend says in place of the newest one
//   heatmap      { bounds, points }, pairs of a bucket's index and its count for each visible point
//   histogram    { bounds, counts }
//   stat         { value, unit, note, bad, parts: [{ label, value }] }
//   gauge        { value, max, parts }, from 0 to max
import { bucket_counts, latest, moving_mean, moving_quantiles, quantile, sum_of } from "./data.js";
import { counted, duration, rounded, with_unit } from "./units.js";

const QUANTILES = [["P50", 0.5], ["P95", 0.95], ["P99", 0.99]];
const SMOOTH_POINTS = 5;               // of rates, so that one second's scheduling is not taken for a change

const visible = (series, { first }) => series.values.slice(first);
const down = (data, process) => (data.is_up(process) ? null : `${process} is down.`);
const listeners = (data) => latest(data.select("websocket_active_connections")[0]?.values ?? []);
const nobody_listens = (data) =>
  down(data, "streamd") ?? (listeners(data) === 0 ? "Nobody listens." : "No chunk was due in this time.");

// Quantiles: as lines those of the seconds before each point, as numbers those of all that is visible.
function latency(name) {
  return (data, view) => {
    const [series] = data.select(name);
    if (!series) return null;
    const counts = bucket_counts(series.bounds, visible(series, view));
    if (sum_of(counts) === 0) return null;
    const width = Math.max(5, Math.round(view.span_s / 30));
    const moving = moving_quantiles(QUANTILES.map(([, q]) => q), series.bounds, series.values, width).slice(view.first);
    return {
      lines: QUANTILES.map(([label, q], i) => ({
        label, values: moving.map((at) => at[i]), shown: quantile(q, series.bounds, counts),
      })),
      note: `of ${counted(sum_of(counts), "observation")} in ${duration(view.span_s)}`,
    };
  };
}

// The same on each panel; the machine has the first one.
const color_of_process = { synthd: 1, streamd: 2, metricsd: 3 };

function gauges(name, label_of, filter = () => ({})) {
  return (data, view) => {
    const found = data.select(name, filter(view));
    const lines = found.map((one) => ({
      label: label_of(one.labels), values: visible(one, view), color: color_of_process[one.labels.process],
    }));
    return some(lines.sort((a, b) => a.label.localeCompare(b.label)));
  };
}

// Increases are a second's, if metricsd was not held up.
function rates(series, view, label) {
  return { label, values: moving_mean(series.values, SMOOTH_POINTS).slice(view.first) };
}

const some = (lines) => {
  const drawn = lines.filter(({ values }) => values.some((value) => value !== null));
  return drawn.length > 0 ? { lines: drawn } : null;
};

const by_station = ({ station }) => ({ station });
const by_process = ({ process }) => ({ process });

function underruns(data, { first, station, span_s }) {
  const found = data.select("ring_buffer_underruns_total", { station });
  if (found.length === 0) return null;
  const total = sum_of(found.map((one) => one.total));
  const lately = sum_of(found.flatMap((one) => one.values.slice(first)));
  return {
    value: total, unit: total === 1 ? "chunk" : "chunks", bad: lately > 0,
    note: lately > 0 ? `${rounded(lately)} of them in the last ${duration(span_s)}` : `none in the last ${duration(span_s)}`,
    parts: found.map((one) => ({ label: one.labels.station, value: rounded(one.total) })),
  };
}

function active_connections(data, { first }) {
  const [series] = data.select("websocket_active_connections");
  const value = latest(series?.values ?? []);
  if (value === null) return null;
  const peak = Math.max(...series.values.slice(first).map((one) => one ?? 0));
  return {
    value, max: Math.max(100, 2 * peak), parts: [{ label: "most in this time", value: rounded(peak) }],
  };
}

function utilization(data, { station }) {
  const parts = data.select("ring_buffer_utilization_percent", { station })
    .map((one) => ({ label: one.labels.station, number: latest(one.values) })).filter(({ number }) => number !== null);
  if (parts.length === 0) return null;
  return {
    value: Math.min(...parts.map(({ number }) => number)), max: 100,
    parts: parts.map(({ label, number }) => ({ label, value: with_unit(number, "%") })),
  };
}

function jitter(data, view) {
  const [series] = data.select("audio_chunk_jitter_ms");
  const points = series ? visible(series, view) : [];
  const counts = series ? bucket_counts(series.bounds, points) : [];
  if (sum_of(counts) === 0) return null;
  return { bounds: series.bounds, points, note: `P95 ${with_unit(quantile(0.95, series.bounds, counts), "ms")}` };
}

function send_rate(data, view) {
  const [sent] = data.select("websocket_chunks_sent_total");
  if (!sent || !sent.values.slice(view.first).some((value) => value > 0)) return null;
  const [active] = data.select("websocket_active_connections");
  const each = sent.values.map((value, i) => (value !== null && active?.values[i] > 0 ? value / active.values[i] : null));
  return some([
    rates(sent, view, "sent"),
    { label: "to each listener", values: moving_mean(each, SMOOTH_POINTS).slice(view.first), right: true },
  ]);
}

function durations(data, view) {
  const [series] = data.select("websocket_connection_duration_seconds");
  const counts = series ? bucket_counts(series.bounds, visible(series, view)) : [];
  return sum_of(counts) > 0 ? { bounds: series.bounds, counts, note: counted(sum_of(counts), "connection") } : null;
}

function sent_and_errors(data, view) {
  const [sent] = data.select("websocket_chunks_sent_total");
  const [errors] = data.select("websocket_send_errors_total");
  const dropped = data.select("websocket_chunks_dropped_total")
    .filter((one) => one.values.slice(view.first).some((value) => value > 0));
  const any = [sent, ...dropped].some((one) => one?.values.slice(view.first).some((value) => value > 0));
  if (!sent || !any) return null;
  return some([
    rates(sent, view, "sent"),
    ...(errors ? [{ ...rates(errors, view, "errors"), right: true }] : []),
    ...dropped.map((one) => ({ ...rates(one, view, `dropped: ${one.labels.reason}`), right: true })),
  ]);
}

// A note on what the GPU's driver tells beside; `beside`: pairs of a metric and the text of its newest value.
function noted(show, beside) {
  return (data, view) => {
    const shown = show(data, view);
    const told = beside.map(([name, text]) => [latest(data.select(name)[0]?.values ?? []), text]);
    const note = told.filter(([value]) => value !== null).map(([value, text]) => text(value)).join(", ");
    return shown && { ...shown, note };
  };
}

const no_gpu = (data) => down(data, "synthd") ?? "No GPU renders: the native engine does, on the processor.";
const target = (value) => ({ value, level: "target" });
const alert = (value) => ({ value, level: "alert" });

export const ROWS = [
  { title: "Audio quality", panels: [
    { id: "synthesis", title: "Audio synthesis latency", kind: "line", unit: "ms", thresholds: [target(100), alert(150)],
      show: latency("audio_synthesis_latency_ms"),
      empty: (data) => down(data, "synthd") ?? "Nothing was rendered in this time." },
    { id: "delivery", title: "Chunk delivery latency", kind: "line", unit: "ms", thresholds: [target(50), alert(100)],
      show: latency("audio_chunk_delivery_latency_ms"), empty: nobody_listens },
    { id: "underruns", title: "Buffer underruns", kind: "stat", unit: "", thresholds: [],
      show: underruns, empty: (data) => down(data, "streamd") ?? "No station plays." },
    { id: "active", title: "Active WebSocket connections", kind: "gauge", unit: "", thresholds: [alert(50)],
      show: active_connections, empty: (data) => down(data, "streamd") ?? "Not measured yet." },
  ] },
  { title: "Buffer health", panels: [
    { id: "depth", title: "Ring buffer depth", kind: "area", unit: "ms",
      thresholds: [alert(200), target(500), target(1000), alert(1800)],
      show: gauges("ring_buffer_depth_ms", ({ station }) => station, by_station),
      empty: (data) => down(data, "synthd") ?? "No station plays." },
    { id: "utilization", title: "Buffer utilization", kind: "gauge", unit: "%",
      thresholds: [alert(10), target(25), target(50), alert(80)],
      show: utilization, empty: (data) => down(data, "synthd") ?? "No station plays." },
    { id: "jitter", title: "Audio chunk jitter", kind: "heatmap", unit: "ms", thresholds: [target(20), alert(50)],
      show: jitter, empty: nobody_listens },
    { id: "send-rate", title: "WebSocket chunk send rate", kind: "line", unit: "/s", thresholds: [],
      show: send_rate, empty: nobody_listens },
  ] },
  { title: "System resources", panels: [
    { id: "cpu", title: "CPU utilization", kind: "line", unit: "%", max: 100, thresholds: [target(80), alert(90)],
      show: (data, view) => gauges("cpu_utilization_percent", ({ process }) => process ?? "machine", by_process)(data, view),
      empty: () => "Not measured yet." },
    { id: "gpu", title: "GPU utilization", kind: "line", unit: "%", max: 100, thresholds: [target(80), alert(90)],
      show: noted(gauges("gpu_utilization_percent", () => "GPU"), [
        ["auralis_gpu_temperature_celsius", (value) => with_unit(value, "°C")],
        ["auralis_gpu_power_watts", (value) => with_unit(value, "W")],
      ]), empty: no_gpu },
    { id: "memory", title: "Memory usage", kind: "area", unit: "MB", thresholds: [{ ...alert(2048), far: true }],
      show: gauges("memory_usage_mb", ({ process }) => process, by_process), empty: () => "Not measured yet." },
    { id: "gpu-memory", title: "GPU memory", kind: "area", unit: "MB", thresholds: [],
      show: noted(gauges("gpu_memory_allocated_mb", () => "allocated"), [
        ["auralis_gpu_memory_total_mb", (value) => `of ${with_unit(value, "MB")}`],
      ]), empty: no_gpu },
  ] },
  { title: "Network and connections", panels: [
    { id: "bandwidth", title: "Network bandwidth", kind: "area", unit: "Mbit/s", thresholds: [],
      show: gauges("network_bandwidth_mbps", () => "total"), empty: (data) => down(data, "streamd") ?? "Not measured yet." },
    { id: "durations", title: "WebSocket connection duration", kind: "histogram", unit: "s", thresholds: [],
      show: durations, empty: (data) => down(data, "streamd") ?? "No connection ended in this time." },
    { id: "errors", title: "Chunks sent vs. errors", kind: "line", unit: "/s", thresholds: [],
      show: sent_and_errors, empty: nobody_listens },
    { id: "connections", title: "Active connections timeline", kind: "line", unit: "",
      thresholds: [{ ...alert(50), far: true }],
      show: gauges("websocket_active_connections", () => "listeners"),
      empty: (data) => down(data, "streamd") ?? "Not measured yet." },
  ] },
];
