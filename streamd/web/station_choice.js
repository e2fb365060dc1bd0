// SPDX-License-Identifier: MIT
// What a listener can choose, as a query and in words. A *choice* is the query of the page's address and of /ws/stream
// alike:
//   ""                                   the usual station
//   "station=night"                      the one of that name
//   "station=new&preset=sleep&seed=42"   one of the listener's own, from its beginning on or, as a permalink, any moment
// Pure.

export const USUAL = "";
const USUAL_NAME = "default";
const NEW = "new";
// Whatever else stands in a link was added on its way, and the server would refuse it.
const LINK_FIELDS = ["seed", "preset", "changes", "bar", "at", "rate", "chunk"];
const MAX_SEED = 2n ** 64n - 1n;

// `query`: with or without its question mark.
export function choice_of(query) {
  const given = new URLSearchParams(query);
  const station = given.get("station");
  if (!station) return USUAL;
  const choice = new URLSearchParams({ station });
  if (station === NEW) {
    for (const [field, value] of given) if (LINK_FIELDS.includes(field)) choice.set(field, value);
  }
  return choice.toString();
}

export function station_named(name) {
  return new URLSearchParams({ station: name }).toString();
}

// `seed`: decimal digits, or "" for one that the server draws.
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

// Null for the usual station and for one's own.
export function name_of(choice) {
  const name = new URLSearchParams(choice).get("station");
  return name === NEW ? null : name;
}

// The same music, so many chunks later.
export function moved_on(choice, chunks) {
  const query = new URLSearchParams(choice);
  query.set("at", String(Math.max(0, Number(query.get("at") ?? 0) + chunks)));
  return query.toString();
}

// What a reload, or who is given the address, shall get. A personal station's name opens it to whoever reads it, so the
// music stands there instead of the name. `status`: the newest of the chosen station, `permalink`: its own; or null.
export function shown_choice(choice, status, permalink) {
  if (is_own(choice)) {
    const query = new URLSearchParams(choice);
    if (status && !query.has("seed")) query.set("seed", String(status.seed));
    return query.toString();
  }
  if (!status?.personal) return choice;
  return permalink ? choice_of_permalink(permalink) : USUAL;
}

// `page`: the address of the page, whatever it shows now.
export function address_of(choice, page) {
  const address = new URL(page);
  address.search = choice;
  address.hash = "";
  return address.href;
}

export function usual_of(stations) {
  return stations.find(({ station }) => station === USUAL_NAME) ?? stations[0] ?? null;
}

// Digits, "" where there are none, or null where it is no seed.
export function seed_of(text) {
  const digits = text.trim();
  if (digits === "") return "";
  return /^\d{1,20}$/.test(digits) && BigInt(digits) <= MAX_SEED ? String(BigInt(digits)) : null;
}

// In words. Numbers stay with their units when a line breaks.

export function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function music_in_words({ preset, target }) {
  return preset ? capitalized(preset) : `${target.key} ${target.mode}, ${Math.round(target.bpm)}\u00a0bpm`;
}

export function listeners_in_words(count) {
  return count === 1 ? "1\u00a0listener" : `${count}\u00a0listeners`;
}

// A station of one's own before it is heard: a title, and what to do about it.
export function unheard_in_words(choice) {
  const query = new URLSearchParams(choice);
  const seconds = Math.floor(Number(query.get("at") ?? 0) * Number(query.get("chunk") ?? 0) / 1000);
  if (seconds > 0) return ["A shared moment", `${duration_in_words(seconds)} into its music; press play`];
  return ["A station of your own", "Press play to begin it"];
}

function duration_in_words(seconds) {
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts.slice(first, first + 2).filter(([amount]) => amount > 0).map((part) => part.join(" ")).join(" ");
}

// Why a choice cannot be heard; `why` as route.js has it, `status`: the body of GET /api/status.
export function refusal_in_words(why, choice, status) {
  const name = name_of(choice);
  const names = status?.stations?.map(({ station }) => station).join(", ");
  switch (why) {
    case "unknown":
      return `There is no station ${name ? `“${name}”` : "of that name"}. There are: ${names}.`;
    case "gone":
      return `The station ${name ? `“${name}” ` : ""}is no more.${names ? ` There are: ${names}.` : ""}`;
    case "no_place":
      return "All places for stations of one’s own are taken. Try again in a while, or listen to one that plays.";
    case "no_encoder":
      return "No more stations of one’s own can be compressed now. Choose the other sound quality, or try again in a while.";
    case "other_format": {
      const { sample_rate, chunk_ms } = status.stations[0];
      const query = new URLSearchParams(choice);
      return `The link was made where sound has ${query.get("rate")} Hz and chunks of ${query.get("chunk")} ms; ` +
          `here it has ${sample_rate} Hz and ${chunk_ms} ms, which would be other music.`;
    }
    case "not_taken":
      if (!new URLSearchParams(choice).has("changes")) break;
      return "The server did not take this link: part of it is missing or wrong, or the server is full.";
    default:
      break;
  }
  return "The station could not be started. Try again in a while.";
}

// Why what was heard cannot come back yet.
export function trouble_in_words(why) {
  if (why === "no_place") return "Your station ended, and all places for new ones are taken: it goes on when one is free.";
  if (why === "no_encoder") return "Your station ended, and no more can be compressed now: it goes on when one can, or in the other sound quality.";
  return "The server does not take your station now: it goes on when it does.";
}
