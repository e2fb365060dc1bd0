// SPDX-License-Identifier: MIT
// The page: draws what Data holds, as the filters choose.
import { Data, SPAN_MS } from "./data.js";
import { by_id, element, set_options, set_text } from "./dom.js";
import { draw_events, visible_events } from "./events.js";
import { draw_header } from "./header.js";
import { Live } from "./live.js";
import { ROWS } from "./panels.js";
import { PanelView } from "./panel_view.js";
import { moment } from "./units.js";

const FILTERS = ["station", "process", "span"];
const dark = matchMedia("(prefers-color-scheme: dark)");

const data = new Data();
const panels = ROWS.flatMap(({ title, panels: row }, i) => {
  const views = row.map((panel) => new PanelView(panel));
  by_id("rows").append(element("section", { class: "row", "aria-labelledby": `row-${i}` },
    element("h2", { id: `row-${i}` }, title), element("div", { class: "panels" }, ...views.map((view) => view.element))));
  return views;
});

// The filters stand in the address, so that it can be shared.
let address = new URLSearchParams(location.search);

// The moment that the address asks for, as Grafana's links do, in ms of Unix time; null: now.
let asked_ms = Number(address.get("at")) || null;

// What is drawn: all that is known or, around the moment asked for, as it was then. Says which.
function data_shown(span_s) {
  const is_past = asked_ms !== null && asked_ms >= data.times[0];
  by_id("past").hidden = asked_ms === null;
  if (asked_ms !== null) {
    set_text(by_id("moment"), `${moment(asked_ms)}${is_past ? "" : " is not kept: here are the last 15 minutes"}`);
  }
  return is_past ? data.as_of(asked_ms + span_s * 500) : data;
}

// What is visible of `shown`: see panels.js; and `times`, `window` in ms, `events` and `theme` for the charts.
function view(shown, span_s) {
  const end_ms = shown.times.at(-1) ?? Date.now();
  const first = shown.first_within(Math.min(SPAN_MS, span_s * 1000));
  const window = [end_ms - span_s * 1000, end_ms];
  return {
    first, span_s, window, station: by_id("station").value, process: by_id("process").value,
    times: shown.times.slice(first), events: visible_events(shown, window), theme: dark.matches ? "dark" : "light",
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
    const span_s = Number(by_id("span").value);
    const shown = data_shown(span_s);
    const visible = view(shown, span_s);
    draw_events(shown, visible);
    for (const panel of panels) panel.draw(shown, visible);
  });
}

// Once the values of the filters are known.
function apply_address() {
  for (const name of FILTERS) {
    const wanted = address.get(name);
    if (wanted === null || ![...by_id(name).options].some(({ value }) => value === wanted)) continue;
    by_id(name).value = wanted;
    address.delete(name);
  }
}

function keep_address() {
  const chosen = [...FILTERS.map((name) => [name, by_id(name).value]), ["at", asked_ms]].filter(([, value]) => value);
  history.replaceState(null, "", `?${new URLSearchParams(chosen)}`);
  draw();
}

by_id("filters").addEventListener("change", () => {
  address = new URLSearchParams();
  keep_address();
});
by_id("now").addEventListener("click", () => {
  asked_ms = null;
  keep_address();
  by_id("span").focus();
});
by_id("filters").addEventListener("submit", (event) => event.preventDefault());
dark.addEventListener("change", draw);
new ResizeObserver(() => {
  for (const panel of panels) panel.resize();
}).observe(by_id("rows"));

const live = new Live(data, draw);
