// SPDX-License-Identifier: MIT
// Decides where to connect for a listener's choice: first as chosen; once the station's name is known, by name, so that a
// reconnect returns to the same station; and if a personal station has ended, by the permalink of the last moment heard.
// Pure: its owner reports events. Choices are those of station_choice.js.
import { choice_of_permalink, is_own, moved_on, name_of, station_named, DEFAULT } from "./station_choice.js";

export const CODE_STATION_GONE = 4004;
const MOST_BEHIND_MS = 15000;          // audio is heard at most this long after it was due,
const MOST_AHEAD_MS = 5000;            // and at most this long before; else the server's clock was set

export class Route {
  #way;                                // as chosen, later the last known moment
  #name = null;                        // of the station that plays
  #personal = false;
  #moment = null;                      // { choice, at_ms, chunk_ms, now_ms }: what was due at at_ms, by the server's clock
  #heard = null;                       // { due_ms, now_ms } of the newest chunk heard; now_ms by performance.now()

  key = null;                          // of a personal station in own_memory.js, once it is remembered

  // `memory`: { key, name, moment } of a personal station that was heard before under this choice (own_memory.js): its name, and a link to
  // the last moment that was heard.
  constructor(choice, memory = null) {
    this.choice = choice;
    this.known = memory !== null;
    this.key = memory?.key ?? null;
    this.#way = memory?.moment ?? choice;
    this.#name = memory?.name ?? null;
    this.#personal = memory !== null;
  }

  // The station's name, once it is known.
  get name() {
    return this.#name;
  }

  // The query to connect with next.
  get query() {
    return this.#name === null ? this.#way : station_named(this.#name);
  }

  // Whether it is a personal station, also one chosen by its name.
  get personal() {
    return this.#personal || is_own(this.choice);
  }

  // A link to the last moment heard, or to the choice.
  get moment() {
    if (!this.#moment) return this.#way;
    const { choice, chunk_ms } = this.#moment;
    return this.#heard === null ? choice : moved_on(choice, Math.ceil(this.#heard_since_moment_ms() / chunk_ms) + 1);
  }

  // By the server's clock, unless it was set meanwhile.
  #heard_since_moment_ms() {
    const reported_ms = this.#heard.due_ms - this.#moment.at_ms;
    const passed_ms = this.#heard.now_ms - this.#moment.now_ms;
    return reported_ms > passed_ms + MOST_AHEAD_MS || reported_ms < passed_ms - MOST_BEHIND_MS ? passed_ms : reported_ms;
  }

  // Reports the status of the connected station.
  joined({ station, personal }) {
    if (station !== this.#name) this.#moment = this.#heard = null;
    this.#name = station;
    this.#personal = personal;
  }

  // Remembers the station's entry in GET /api/status?station=NAME.
  remember({ station, permalink, server_time, chunk_ms }, now_ms = performance.now()) {
    if (station !== this.#name) return;
    this.#moment = { choice: choice_of_permalink(permalink), at_ms: server_time * 1000, chunk_ms, now_ms };
  }

  // Reports a heard chunk by its due time; an earlier one than before is a repetition, unless the server's clock was set back.
  heard(due_ms, now_ms = performance.now()) {
    const before_ms = this.#heard?.due_ms ?? -Infinity;
    if (due_ms > before_ms || due_ms < before_ms - MOST_BEHIND_MS) this.#heard = { due_ms, now_ms };
  }

  // Reports that the station no longer exists. Returns whether there is another way to the choice.
  gone() {
    if (this.#personal) this.#way = this.moment;
    this.#name = this.#moment = null;
    return name_of(this.#way) === null;
  }
}

// Finds why the server refused a connection, which browsers do not report, from GET /api/status; `status` is its body, null if
// there was no response, and `found` whether the server knows a station of the requested name.
//   "later"          the request is valid; try again
//   "unknown"        there is no such station
//   "no_place"       the limit of personal stations is reached
//   "no_encoder"     a personal station is available, but not in Opus for a listener who prefers it
//   "other_format"   a link with another sample rate or chunk length
//   "not_accepted"   a link that is invalid in another way, or a full server
export function why_refused(query, status, found, prefers_opus = false) {
  if (!status || status.stations.length === 0) return "later";
  if (name_of(query) !== null) return found ? "later" : "unknown";
  if (query === DEFAULT || !status.ready) return "later";
  const { sample_rate, chunk_ms } = status.stations[0];
  const link = new URLSearchParams(query);
  const same = (field, value) => !link.has(field) || Number(link.get(field)) === value;
  if (!same("rate", sample_rate) || !same("chunk", chunk_ms)) return "other_format";
  if (status.places.free === 0) return "no_place";
  return prefers_opus && status.places.opus_free === 0 ? "no_encoder" : "not_accepted";
}
