// SPDX-License-Identifier: MIT
// Remembers where personal stations were, so that they continue there after a reload, a crash or a night: the newest few, in the
// browser's storage, each { key, name, moment, title, hue }: its name on the server, a link to the last moment heard, and how it is
// called here. A page's history has the key in its state.
import { hue_of, music_in_words } from "./music_words.js";
import { is_own } from "./station_choice.js";
import { keep, kept_list } from "./storage.js";
import { text } from "./strings.js";

const MOST = 8;

const is_memory = (memory) => ["key", "name", "moment", "title"].every((field) => typeof memory?.[field] === "string") &&
    Number.isFinite(memory.hue) && is_own(memory.moment);
const all = () => kept_list("own", is_memory);

// Remembers the personal station of that route, if it is one, in place of what was remembered of it. `status`: its newest, or null.
export function remember_own(route, status) {
  if (!status?.personal || route.name !== status.station) return;
  route.key ??= Math.random().toString(36).slice(2);
  const { key, name, moment } = route;
  const memory = { key, name, moment, title: music_in_words(status), hue: hue_of(status.target) };
  keep("own", [memory, ...all().filter((other) => other.key !== key)].slice(0, MOST));
}

// Null if there is none of that key.
export function own_of(key) {
  return all().find((memory) => memory.key === key) ?? null;
}

// The one heard last; null if there is none.
export function last_own() {
  return all()[0] ?? null;
}

// What a list of places shows of the listener's own station, { detail, hue }: the chosen one, or the one heard last; null if there is none.
export function own_entry(route, status) {
  if (route.personal && status) return { detail: music_in_words(status), hue: hue_of(status.target) };
  const memory = route.personal ? own_of(route.key) : last_own();
  if (memory) return { detail: text("own_continues", memory.title), hue: memory.hue };
  return route.personal ? { detail: text("not_heard"), hue: 0 } : null;
}
