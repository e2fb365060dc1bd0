// SPDX-License-Identifier: MIT
// Draws lines, areas, heatmaps and histograms with dygraphs.
import { bucket_counts } from "./data.js";
import { duration, moment, rounded } from "./units.js";

const COLUMNS = 60;                    // of a heatmap
const SERIES_COLORS = 8;               // --series-0 and so on, in the style sheet

// The panels have legends of their own, and this one sets style attributes, which the page's policy forbids.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const color_of = (index) => css(`--series-${index % SERIES_COLORS}`);

const AXES = () => ({
  axisLineColor: css("--line"), gridLineColor: css("--line"), axisLabelFontSize: 11, gridLineWidth: 0.5,
});

// A chart in `element`. draw(shown, view): what panels.js describes; `on_point(row)`: the pointer is at that visible
// point; null: at none.
export class Chart {
  #graph = null;
  #shape = "";                         // of the graph; another one needs a new graph

  constructor(element, panel, on_point) {
    this.element = element;
    this.panel = panel;
    this.on_point = on_point;
  }

  draw(shown, view) {
    const { kind } = this.panel;
    const make = { line: lines, area: lines, heatmap, histogram }[kind];
    const { rows, labels, ...options } = make(this.panel, shown, view);
    const shape = JSON.stringify([labels, view.theme]);
    const all = {
      ...common(this.panel, view), ...options, labels, file: rows,
      highlightCallback: (_event, _x, _points, row) => this.on_point(row), unhighlightCallback: () => this.on_point(null),
    };
    if (this.#graph && this.#shape === shape) {
      this.#graph.updateOptions(all);
      return;
    }
    this.clear();
    this.#shape = shape;
    const { file, ...rest } = all;
    this.#graph = new Dygraph(this.element, file, rest);
  }

  resize() {
    this.#graph?.resize();
  }

  clear() {
    this.#graph?.destroy();
    this.#graph = null;
  }
}

function common(panel, view) {
  return {
    interactionModel: {}, rightGap: 8, strokeWidth: 1.6, highlightCircleSize: 3,
    xRangePad: 0, ...AXES(),
    underlayCallback: (context, area, graph) => {
      draw_events(context, area, graph, view.events);
      if (panel.kind !== "heatmap") draw_thresholds(context, area, graph, panel.thresholds);
    },
  };
}

function draw_thresholds(context, area, graph, thresholds) {
  for (const { value, level } of thresholds) {
    const y = graph.toDomYCoord(value);
    if (y < area.y || y > area.y + area.h) continue;
    dashed(context, css(`--${level}`), area.x, y, area.x + area.w, y);
  }
}

function draw_events(context, area, graph, events) {
  for (const { begin_ms, bad } of events) {
    const x = graph.toDomXCoord(begin_ms);
    if (x >= area.x && x <= area.x + area.w) dashed(context, css(bad ? "--bad" : "--good"), x, area.y, x, area.y + area.h);
  }
}

function dashed(context, color, x, y, to_x, to_y) {
  context.save();
  context.strokeStyle = color;
  context.setLineDash([4, 3]);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(to_x, to_y);
  context.stroke();
  context.restore();
}

const time_axis = { axisLabelFormatter: (at) => moment(+at).slice(-8, -3), pixelsPerLabel: 60 };
const seconds_axis = { axisLabelFormatter: (at) => moment(+at).slice(-8), pixelsPerLabel: 80 };
const x_axis = (view) => (view.span_s <= 60 ? seconds_axis : time_axis);
const y_axis = { axisLabelFormatter: (value) => rounded(value), axisLabelWidth: 42, pixelsPerLabel: 28 };

function lines(panel, shown, view) {
  const rows = view.times.map((at_ms, i) => [new Date(at_ms), ...shown.lines.map(({ values }) => values[i])]);
  const right = shown.lines.filter((line) => line.right);
  return {
    rows, labels: ["time", ...shown.lines.map(({ label }) => label)],
    colors: shown.lines.map(({ color }, i) => color_of(color ?? i)),
    fillGraph: panel.kind === "area", fillAlpha: 0.22, dateWindow: view.window,
    series: Object.fromEntries(right.map(({ label }) => [label, { axis: "y2" }])),
    axes: {
      x: x_axis(view),
      y: { ...y_axis, valueRange: range_of(panel, shown.lines.filter((line) => !line.right), panel.thresholds) },
      y2: { ...y_axis, independentTicks: true, valueRange: range_of(panel, right, []) },
    },
  };
}

// From `min` to what holds the values and the thresholds, except those far away.
function range_of({ min = 0, max }, drawn, thresholds) {
  if (max !== undefined) return [min, max];
  let top = min;
  for (const { values } of drawn) for (const value of values) top = Math.max(top, value ?? min);
  for (const { value, far } of thresholds) if (!far || top > value / 2) top = Math.max(top, value);
  return [min, top > min ? min + (top - min) * 1.1 : min + 1];
}

// Cells of a time and a bucket each: the darker, the more.
function heatmap(panel, shown, view) {
  const width = Math.max(1, Math.ceil(view.times.length / COLUMNS));
  const columns = [];
  for (let i = 0; i < shown.points.length; i += width) {
    const counts = bucket_counts(shown.bounds, shown.points.slice(i, i + width));
    columns.push({ from: view.times[i], to: view.times[Math.min(i + width, view.times.length - 1)], counts });
  }
  const used = Math.max(...columns.map(({ counts }) => counts.findLastIndex((count) => count > 0)));
  const most_level = Math.max(...panel.thresholds.map(({ value }) => value));
  const height = Math.min(shown.bounds.length + 1, Math.max(used + 1, shown.bounds.findIndex((b) => b >= most_level) + 2));
  const label_of = (edge) => (edge === 0 ? "0" : edge > shown.bounds.length ? "∞" : rounded(shown.bounds[edge - 1]));
  return {
    rows: view.times.map((at_ms) => [new Date(at_ms), 0]), labels: ["time", "jitter"],
    dateWindow: view.window, highlightCircleSize: 0, drawGrid: false,
    plotter: ({ dygraph, drawingContext }) => cells(dygraph, drawingContext, columns, panel.thresholds, shown.bounds),
    axes: {
      x: x_axis(view),
      y: {
        axisLabelWidth: 42, valueRange: [0, height],
        ticker: () => Array.from({ length: height + 1 }, (_, edge) => ({ v: edge, label: label_of(edge) })),
      },
    },
  };
}

function cells(graph, context, columns, thresholds, bounds) {
  const most = Math.max(...columns.flatMap(({ counts }) => counts));
  context.fillStyle = css("--heat");
  for (const { from, to, counts } of columns) {
    const x = graph.toDomXCoord(from);
    const width = Math.max(1, graph.toDomXCoord(to) - x);
    counts.forEach((count, bucket) => {
      if (count === 0) return;
      context.globalAlpha = 0.15 + 0.85 * Math.sqrt(count / most);
      const y = graph.toDomYCoord(bucket + 1);
      context.fillRect(x, y, width, graph.toDomYCoord(bucket) - y);
    });
  }
  context.globalAlpha = 1;
  const { x, w } = graph.getArea();
  for (const { value, level } of thresholds) {
    const y = graph.toDomYCoord(bounds.findIndex((bound) => bound >= value) + 1);
    dashed(context, css(`--${level}`), x, y, x + w, y);
  }
}

// A bar for each bucket, under its upper bound.
function histogram(_panel, shown, _view) {
  const bars = shown.counts.length;
  const label_of = (i) => (i < shown.bounds.length ? duration(shown.bounds[i]).replace(/ (.).*/, "$1") : "∞");
  return {
    rows: shown.counts.map((count, i) => [i, count]), labels: ["bucket", "connections"],
    dateWindow: [-0.6, bars - 0.4], highlightCircleSize: 0, colors: [color_of(0)],
    plotter: ({ points, dygraph, drawingContext }) => {
      drawingContext.fillStyle = color_of(0);
      const width = (dygraph.toDomXCoord(1) - dygraph.toDomXCoord(0)) * 0.8;
      const floor = dygraph.toDomYCoord(0);
      for (const { canvasx, canvasy } of points) {
        drawingContext.fillRect(canvasx - width / 2, canvasy, width, floor - canvasy);
      }
    },
    axes: {
      x: { drawGrid: false, ticker: () => shown.counts.map((_, i) => ({ v: i, label: label_of(i) })) },
      y: { ...y_axis, valueRange: [0, Math.max(...shown.counts) * 1.1] },
    },
  };
}
