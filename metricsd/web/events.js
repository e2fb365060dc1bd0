// SPDX-License-Identifier: MIT
// Events on the time axis and as a list, each with a link to the music of its moment.
import { by_id, element } from "./dom.js";
import { moment } from "./units.js";

// Events that touch the visible time.
export function visible_events(data, [from_ms, to_ms]) {
  return data.events.filter(({ begin_ms, end_ms }) => end_ms >= from_ms && begin_ms <= to_ms);
}

let drawn = "";                        // what the elements show; a focused link is not to be replaced each second

export function draw_events({ state }, { events, window }) {
  const axis = by_id("event-axis");
  const [from_ms, to_ms] = window;
  by_id("no-events").hidden = events.length > 0;
  axis.hidden = by_id("event-list").hidden = events.length === 0;
  const now = JSON.stringify(events);
  if (now !== drawn) {
    drawn = now;
    axis.replaceChildren(...events.map(marker));
    by_id("event-list").replaceChildren(...events.map((event) => item(event, state.player)).reverse());
  }
  events.forEach(({ begin_ms }, i) => {
    axis.children[i].style.left = `${(100 * Math.max(0, begin_ms - from_ms)) / (to_ms - from_ms)}%`;
  });
}

function marker({ id, begin_ms, message, bad }) {
  const button = element("button", { type: "button", class: bad ? "marker bad" : "marker good", "aria-label": `${moment(begin_ms)}: ${message}`, title: message });
  button.addEventListener("click", () => {
    const entry = by_id(`event-${id}`);
    entry.scrollIntoView({ block: "nearest" });
    (entry.querySelector("a") ?? entry).focus();
  });
  return button;
}

function item({ id, begin_ms, message, link, bad }, player) {
  const entry = element("li", { id: `event-${id}`, tabindex: "-1", class: bad ? "bad" : "good" },
    element("time", { datetime: new Date(begin_ms).toISOString() }, moment(begin_ms)), ` ${message} `);
  if (link) {
    const href = `${player.tls ? "https" : "http"}://${location.hostname}:${player.port}/?${link}`;
    entry.append(element("a", { href, target: "_blank", rel: "noopener" }, "hear that moment"));
  }
  return entry;
}
