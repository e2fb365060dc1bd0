// SPDX-License-Identifier: MIT
// Draws the panels that show one value: a large number, or a gauge.
import { drawing, element } from "./dom.js";
import { rounded, with_unit } from "./units.js";

export class Tile {
  constructor(target, panel) {
    this.element = target;
    this.panel = panel;
  }

  draw(shown) {
    const { panel } = this;
    const value = panel.kind === "gauge" ? gauge(panel, shown) : number(shown);
    const parts = (shown.parts ?? []).map(({ label, value: part }) =>
      element("li", {}, element("span", {}, label), " ", element("b", {}, part)));
    this.element.replaceChildren(value, element("ul", { class: "parts" }, ...parts));
  }

  resize() {}

  clear() {
    this.element.replaceChildren();
  }
}

function number(shown) {
  const value = element("b", { class: "value" }, rounded(shown.value));
  return element("p", { class: shown.bad ? "number bad" : "number good" }, value, ` ${shown.unit}`);
}

const WIDTH = 200;
const RADIUS = 80;
const ARC = `M ${WIDTH / 2 - RADIUS} 95 A ${RADIUS} ${RADIUS} 0 0 1 ${WIDTH / 2 + RADIUS} 95`;

// A half circle, as far filled as the value goes, with a mark at each threshold.
function gauge(panel, { value, max }) {
  const share = (at) => Math.min(1, Math.max(0, at / max));
  const marks = panel.thresholds.map(({ value: at, level }) => {
    const angle = Math.PI * (1 - share(at));
    const point = (radius) => [WIDTH / 2 + radius * Math.cos(angle), 95 - radius * Math.sin(angle)];
    const [x1, y1] = point(RADIUS - 12);
    const [x2, y2] = point(RADIUS + 12);
    return drawing("line", { x1, y1, x2, y2, class: `mark ${level}` });
  });
  return drawing("svg", { viewBox: `0 0 ${WIDTH} 108`, class: "gauge", "aria-hidden": "true" },
    drawing("path", { d: ARC, class: "track" }),
    drawing("path", { d: ARC, class: `fill ${level_of(panel, value)}`, pathLength: 100, "stroke-dasharray": `${100 * share(value)} 200` }),
    ...marks,
    drawing("text", { x: WIDTH / 2, y: 92, class: "value" }, with_unit(value, panel.unit)));
}

// Of two thresholds on a side, the inner one is the target. One threshold alone is an upper one.
function level_of({ thresholds }, value) {
  if (thresholds.length < 4) return thresholds.some(({ value: at }) => value > at) ? "alert" : "good";
  const [lowest, low, high, highest] = thresholds.map(({ value: at }) => at);
  if (value < lowest || value > highest) return "alert";
  return value < low || value > high ? "target" : "good";
}
