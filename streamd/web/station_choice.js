// SPDX-License-Identifier: MIT
// Choices of a listener, as queries and in words. A *choice* is the query of both the page's address and /ws/stream:
//   ""                                   the default station
//   "station=night"                      the station of that name
//   "station=new&preset=sleep&seed=42"   a personal station, from its beginning or, as a permalink, from any moment
// Pure.
import { text } from "./strings.js";

export const DEFAULT = "";
const DEFAULT_NAME = "default";
const NEW = "new";
// Other fields were added to a link on its way (tracking), and the server would refuse them.
const LINK_FIELDS = ["seed", "preset", "changes", "bar", "at", "rate", "chunk"];
const MOST_TO_COME = 7;                // changes after `at` that the server accepts (docs/protocol.md, "permalink")
const MAX_SEED = 2n ** 64n - 1n;

// `query`: with or without the question mark.
export function choice_of(query) {
  const given = new URLSearchParams(query);
  const station = given.get("station");
  if (!station) return DEFAULT;
  const choice = new URLSearchParams({ station });
  if (station === NEW) {
    for (const [field, value] of given) if (LINK_FIELDS.includes(field)) choice.set(field, value);
  }
  return choice.toString();
}

export function station_named(name) {
  return new URLSearchParams({ station: name }).toString();
}

// `seed`: decimal digits, or "" to let the server draw one.
export function own_station({ preset, seed = "" }) {
  const choice = new URLSearchParams({ station: NEW, preset });
  if (seed) choice.set("seed", seed);
  return choice.toString();
}

export function choice_of_permalink(permalink) {
  return choice_of(permalink.slice(permalink.indexOf("?") + 1));
}

export function is_own(choice) {
  return new URLSearchParams(choice).get("station") === NEW;
}

// Null for the default station and for personal ones.
export function name_of(choice) {
  const name = new URLSearchParams(choice).get("station");
  return name === NEW ? null : name;
}

// The same music, that many chunks later. Of more changes to come than a station is begun with, only the first ones are made again.
export function moved_on(choice, chunks) {
  const query = new URLSearchParams(choice);
  const at = Math.max(0, Number(query.get("at") ?? 0) + chunks);
  query.set("at", String(at));
  if (query.has("changes")) {
    const changes = query.get("changes").split("_");
    const first = changes.findIndex((change) => Number.parseInt(change, 10) > at);
    if (first >= 0) query.set("changes", changes.slice(0, first + MOST_TO_COME).join("_"));
  }
  return query.toString();
}

// The choice for the address bar, for a reload or for sharing. A personal station's name is a capability name, so the
// permalink of its music takes its place. `status`: the newest of the chosen station, `permalink`: its own; or null.
export function shown_choice(choice, status, permalink) {
  if (is_own(choice)) {
    const query = new URLSearchParams(choice);
    if (status && !query.has("seed")) query.set("seed", String(status.seed));
    return query.toString();
  }
  if (!status?.personal) return choice;
  return permalink ? choice_of_permalink(permalink) : DEFAULT;
}

// `page`: the page's current address. `format`: one that it is to ask for, or null.
export function address_of(choice, page, format = null) {
  const address = new URL(page);
  address.search = choice;
  if (format) address.searchParams.set("format", format);
  address.hash = "";
  return address.href;
}

export function default_of(stations) {
  return stations.find(({ station }) => station === DEFAULT_NAME) ?? stations[0] ?? null;
}

// Returns digits, "" for an empty text, or null if it is not a seed.
export function seed_of(text) {
  const digits = text.trim();
  if (digits === "") return "";
  return /^\d{1,20}$/.test(digits) && BigInt(digits) <= MAX_SEED ? String(BigInt(digits)) : null;
}

// In words.

// A personal station before it is heard: a title and a hint. `known`: whether the listener has heard it before.
export function unheard_in_words(choice, known = false) {
  const query = new URLSearchParams(choice);
  const seconds = Math.floor(Number(query.get("at") ?? 0) * Number(query.get("chunk") ?? 0) / 1000);
  const title = known ? text("own_title") : text(seconds > 0 ? "shared_moment" : "own_station");
  return [title, seconds > 0 ? text("into_music", duration_in_words(seconds)) : text("press_to_start")];
}

function duration_in_words(seconds) {
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts.slice(first, first + 2).filter(([amount]) => amount > 0).map((part) => part.join(" ")).join(" ");
}

// Why a choice cannot be heard; `why` as in route.js, `status`: the body of GET /api/status.
export function refusal_in_words(why, choice, status) {
  const name = name_of(choice);
  const names = status?.stations?.map(({ station }) => station).join(", ");
  const query = new URLSearchParams(choice);
  switch (why) {
    case "unknown":
      return text("unknown_station", name, names);
    case "gone":
      return text("gone_station", name, names);
    case "no_place":
    case "no_encoder":
      return text(why);
    case "other_format": {
      const { sample_rate, chunk_ms } = status.stations[0];
      return text("other_format", query.get("rate"), query.get("chunk"), sample_rate, chunk_ms);
    }
    default:
      return text(why === "not_accepted" && query.has("changes") ? "not_accepted" : "not_started");
  }
}

// Why a change of the music was refused: `body` is the server's error.
export function refusal_of_change({ code, message }) {
  return text(`refused_${code}`) ?? message;
}

// Why playback cannot resume yet.
export function trouble_in_words(why) {
  return text(`trouble_${why}`) ?? text("trouble");
}
