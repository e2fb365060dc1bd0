// SPDX-License-Identifier: MIT
// A panel on the page: its title, legend and chart, or why it is empty; and what a screen reader says of it.
import { Chart, color_of } from "./charts.js";
import { latest } from "./data.js";
import { element, set_text } from "./dom.js";
import { Tile } from "./tiles.js";
import { moment, with_unit } from "./units.js";

export class PanelView {
  #seen = false;                       // whether the panel is in the visible part of the page
  #shown = null;
  #point = null;                       // the visible point under the pointer
  #last = null;                        // arguments of the last draw()

  constructor(panel) {
    this.panel = panel;
    const title = element("h3", { id: `${panel.id}-title` }, panel.title);
    this.note = element("p", { class: "note" });
    this.legend = element("ul", { class: "legend" });
    this.figure = element("div", { class: `figure ${panel.kind}`, role: "img", "aria-labelledby": `${panel.id}-title ${panel.id}-summary` });
    this.summary = element("p", { class: "sr-only", id: `${panel.id}-summary` });
    this.empty = element("p", { class: "empty", hidden: "" });
    this.element = element("section", { class: "panel", id: panel.id, "aria-labelledby": `${panel.id}-title` },
      element("div", { class: "heading" }, title, this.note), this.figure, this.empty, this.legend, this.summary);
    const tile = panel.kind === "stat" || panel.kind === "gauge";
    this.chart = tile ? new Tile(this.figure, panel) : new Chart(this.figure, panel, (row) => this.#hover(row));
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.#seen = isIntersecting;
      if (this.#seen && this.#last) this.draw(...this.#last);
    }, { rootMargin: "200px" }).observe(this.element);
  }

  draw(data, view) {
    this.#last = [data, view];
    const shown = data.times.length > 0 ? this.panel.show(data, view) : null;
    this.#shown = shown;
    this.figure.hidden = this.legend.hidden = !shown;
    this.empty.hidden = Boolean(shown);
    if (!shown) {
      set_text(this.empty, data.state ? this.panel.empty(data) : "Waiting for the first metrics.");
      set_text(this.note, "");
      set_text(this.summary, "");
      this.chart.clear();
      return;
    }
    if (this.#seen) this.chart.draw(shown, view);
    set_text(this.note, [shown.note, thresholds_text(this.panel)].filter(Boolean).join(" · "));
    set_text(this.summary, this.#summary(shown));
    this.#draw_legend();
  }

  resize() {
    this.chart.resize();
  }

  #hover(row) {
    this.#point = row;
    this.#draw_legend();
  }

  // What each line is at the pointer, or else over all that is visible or now.
  #values() {
    return this.#shown.lines.map(({ label, values, shown, right, color }) => {
      const value = this.#point === null ? (shown === undefined ? latest(values) : shown) : values[this.#point] ?? null;
      return { color, label: right ? `${label} (right)` : label, text: with_unit(value, this.panel.unit) };
    });
  }

  #draw_legend() {
    if (!this.#shown?.lines) return;
    const items = this.#values().map(({ label, text, color }, i) => {
      const swatch = element("span", { class: "swatch" });
      swatch.style.background = color_of(color ?? i);
      return element("li", {}, swatch, `${label} `, element("b", {}, text));
    });
    const view = this.#last[1];
    if (this.#point !== null && view.times[this.#point]) items.push(element("li", {}, moment(view.times[this.#point])));
    this.legend.replaceChildren(...items);
  }

  #summary(shown) {
    const { unit } = this.panel;
    if (shown.lines) return this.#values().map(({ label, text }) => `${label} ${text}`).join(", ");
    if (shown.value === undefined) return shown.note;
    return [with_unit(shown.value, shown.unit ?? unit), shown.note].filter(Boolean).join(", ");
  }
}

function thresholds_text({ thresholds, unit }) {
  if (thresholds.length === 0) return "";
  const [first, second, third, last] = thresholds.map(({ value }) => value);
  if (thresholds.length === 4) return `target ${second}–${third} ${unit}, alert below ${first} or above ${last}`;
  const alert = `alert above ${thresholds.at(-1).value} ${unit}`.trim();
  return second === undefined ? alert : `target below ${first} ${unit}, ${alert}`;
}
