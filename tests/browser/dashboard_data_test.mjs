// SPDX-License-Identifier: MIT
// The dashboard's data, on node alone: what follows from the history and the seconds after it.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { bucket_counts, Data, latest, moving_mean, moving_quantiles, quantile, SPAN_MS } from "../../metricsd/web/data.js";
import { ROWS } from "../../metricsd/web/panels.js";

const START_MS = 1_700_000_000_000;

// An answer with the points from `first` on; `values` by name, `labels` of all series.
function answer(first, count, values, { labels = {}, events = [], run = 1, ...more } = {}) {
  const series = Object.entries(values).map(([name, of]) => ({ name, type: "gauge", labels, values: of, ...more }));
  const times_ms = Array.from({ length: count }, (_, i) => START_MS + (first + i) * 1000);
  return { run, first, times_ms, series, events, daemons: [{ name: "synthd", up: true }], conditions: [] };
}

let data;
beforeEach(() => { data = new Data(); });

const values_of = (name) => data.select(name)[0].values;

test("a second before the history is not appended: the history is to be asked for", () => {
  assert.equal(data.append(answer(5, 1, { depth: [1] })), false);
});

test("seconds are appended in order; those known already change nothing, and a gap asks for the history", () => {
  data.replace(answer(1, 3, { depth: [1, 2, 3] }));
  assert.equal(data.append(answer(3, 1, { depth: [9] })), true);
  assert.deepEqual(values_of("depth"), [1, 2, 3]);
  assert.equal(data.append(answer(4, 1, { depth: [4] })), true);
  assert.deepEqual(values_of("depth"), [1, 2, 3, 4]);
  assert.equal(data.append(answer(6, 1, { depth: [6] })), false);
  assert.deepEqual(data.times.map((at_ms) => (at_ms - START_MS) / 1000), [1, 2, 3, 4]);
});

test("a metricsd that was restarted counts from 1: the history is asked for", () => {
  data.replace(answer(500, 2, { depth: [1, 2] }));
  assert.equal(data.append(answer(1, 1, { depth: [3] }, { run: 2 })), false);
  assert.equal(data.append(answer(502, 1, { depth: [3] }, { run: 2 })), false);
  data.replace(answer(1, 1, { depth: [3] }, { run: 2 }));
  assert.deepEqual(values_of("depth"), [3]);
});

test("absence is a gap, for a series that goes and for one that comes", () => {
  data.replace(answer(1, 2, { depth: [1, 2] }));
  data.append(answer(3, 1, { memory: [7] }));
  assert.deepEqual(values_of("depth"), [1, 2, null]);
  assert.deepEqual(values_of("memory"), [null, null, 7]);
});

test("as of a time, later seconds, events and counts are left out, and what follows changes nothing", () => {
  const event = (id, second) => ({ id, begin_ms: START_MS + second * 1000, end_ms: START_MS + second * 1000 });
  data.replace(answer(1, 4, { underruns: [0, 1, 2, 4] }, { total: 7, events: [event(1, 2), event(2, 4)] }));
  const past = data.as_of(START_MS + 2500);
  data.append(answer(5, 1, { underruns: [8] }, { total: 15 }));
  assert.deepEqual(past.times.map((at_ms) => (at_ms - START_MS) / 1000), [1, 2]);
  const [{ values, total }] = past.select("underruns");
  assert.deepEqual([values, total], [[0, 1], 1]);
  assert.deepEqual(past.events.map(({ id }) => id), [1]);
  assert.equal(data.as_of(START_MS + 5000), data);
});

test("what is older than 15 minutes is forgotten, also events", () => {
  const event = { id: 1, begin_ms: START_MS + 1000, end_ms: START_MS + 1000 };
  data.replace(answer(1, 900, { depth: Array(900).fill(1) }, { events: [event] }));
  assert.equal(data.events.length, 1);
  data.append(answer(901, 1, { depth: [2] }));
  assert.equal(data.times.length, SPAN_MS / 1000);
  assert.equal(values_of("depth").length, data.times.length);
  assert.equal(data.events.length, 0);
});

test("an event that goes on replaces the one that is known", () => {
  data.replace(answer(1, 1, {}, { events: [{ id: 1, count: 1 }, { id: 2, count: 5 }] }));
  data.append(answer(2, 1, {}, { events: [{ id: 1, count: 4 }] }));
  assert.deepEqual(data.events, [{ id: 1, count: 4 }, { id: 2, count: 5 }]);
});

test("series are chosen by labels, an empty choice is all", () => {
  data.replace(answer(1, 1, { depth: [1] }, { labels: { station: "night" } }));
  assert.equal(data.select("depth", { station: "night" }).length, 1);
  assert.equal(data.select("depth", { station: "day" }).length, 0);
  assert.equal(data.select("depth", { station: "" }).length, 1);
  assert.deepEqual(data.label_values("station"), ["night"]);
});

test("quantiles are those of metricsd", () => {
  assert.equal(quantile(0.5, [10, 20], [0, 0, 0]), null);
  assert.equal(quantile(0.5, [10, 20], [10, 0, 0]), 5);
  assert.equal(quantile(0.75, [10, 20], [2, 2, 0]), 15);
  assert.equal(quantile(0.99, [10, 20], [1, 0, 99]), 20);
});

test("quantiles are of the time they are asked for", () => {
  const points = [...Array(10).fill([0, 100]), null, ...Array(10).fill([1, 100])];
  assert.deepEqual(bucket_counts([10, 20], points.slice(5)), [500, 1000, 0]);
  const moving = moving_quantiles([0.5], [10, 20], points, 5).map(([median]) => median);
  assert.equal(moving[9], 5);
  assert.equal(moving[20], 15);
});

test("means and newest values leave absent ones out", () => {
  assert.deepEqual(moving_mean([1, null, 3, 5], 2), [1, null, 3, 4]);
  assert.equal(latest([1, 2, null]), 2);
  assert.equal(latest([1, null, null, null]), null);
});

test("the panels of the GPU note what its driver tells, and nothing where it tells nothing", () => {
  const shown = (id) => ROWS.flatMap(({ panels }) => panels).find((panel) => panel.id === id).show(data, { first: 0 });
  data.replace(answer(1, 2, { gpu_utilization_percent: [30, 40], gpu_memory_allocated_mb: [64, 64] }));
  assert.deepEqual([shown("gpu").note, shown("gpu-memory").note], ["", ""]);
  data.replace(answer(1, 2, {
    gpu_utilization_percent: [30, 40], gpu_memory_allocated_mb: [64, 64], auralis_gpu_memory_total_mb: [8192, 8192],
    auralis_gpu_temperature_celsius: [60, 61], auralis_gpu_power_watts: [null, null],
  }));
  assert.deepEqual([shown("gpu").note, shown("gpu-memory").note], ["61 °C", "of 8,192 MB"]);
  assert.deepEqual(shown("gpu").lines.map(({ values }) => values), [[30, 40]]);
  data.replace(answer(1, 2, { auralis_gpu_temperature_celsius: [60, 61] }));
  assert.equal(shown("gpu"), null);
});
