// SPDX-License-Identifier: MIT
// The page: draws what Data holds, as the filters choose.
import { Data, SPAN_MS } from "./data.js";
import { by_id, element, set_options } from "./dom.js";
import { draw_events, visible_events } from "./events.js";
import { draw_header } from "./header.js";
import { Live } from "./live.js";
import { ROWS } from "./panels.js";
import { PanelView } from "./panel_view.js";

const FILTERS = ["station", "process", "span"];
const dark = matchMedia("(prefers-color-scheme: dark)");

const data = new Data();
const panels = ROWS.flatMap(({ title, panels: row }, i) => {
  const views = row.map((panel) => new PanelView(panel));
  by_id("rows").append(element("section", { class: "row", "aria-labelledby": `row-${i}` },
    element("h2", { id: `row-${i}` }, title), element("div", { class: "panels" }, ...views.map((view) => view.element))));
  return views;
});

// What is visible: see panels.js; and `times`, `window` in ms, `events` and `theme` for the charts.
function view() {
  const span_s = Number(by_id("span").value);
  const now_ms = data.times.at(-1) ?? Date.now();
  const first = data.first_within(Math.min(SPAN_MS, span_s * 1000));
  const window = [now_ms - span_s * 1000, now_ms];
  return {
    first, span_s, window, station: by_id("station").value, process: by_id("process").value,
    times: data.times.slice(first), events: visible_events(data, window), theme: dark.matches ? "dark" : "light",
  };
}

let due = false;

// Draws once a frame, and not in a hidden tab.
function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    draw_header(data.state, live.stale);
    if (!data.state) return;
    set_options(by_id("station"), data.label_values("station"));
    set_options(by_id("process"), data.label_values("process"));
    apply_address();
    const now = view();
    draw_events(data, now);
    for (const panel of panels) panel.draw(data, now);
  });
}

// The filters stand in the address, so that it can be shared: applied once their values are known.
let address = new URLSearchParams(location.search);
function apply_address() {
  for (const name of FILTERS) {
    const wanted = address.get(name);
    if (wanted === null || ![...by_id(name).options].some(({ value }) => value === wanted)) continue;
    by_id(name).value = wanted;
    address.delete(name);
  }
}

by_id("filters").addEventListener("change", () => {
  address = new URLSearchParams();
  const chosen = FILTERS.map((name) => [name, by_id(name).value]).filter(([, value]) => value);
  history.replaceState(null, "", `?${new URLSearchParams(chosen)}`);
  draw();
});
by_id("filters").addEventListener("submit", (event) => event.preventDefault());
dark.addEventListener("change", draw);
new ResizeObserver(() => {
  for (const panel of panels) panel.resize();
}).observe(by_id("rows"));

const live = new Live(data, draw);
