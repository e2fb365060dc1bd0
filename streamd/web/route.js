// SPDX-License-Identifier: MIT
// Where to connect for what a listener has chosen: first as chosen; once a station has told its name, by that, so that a
// broken connection comes back to the same one; and where a station of one's own is no more, by the permalink of the moment
// that was heard last. Pure: who uses it tells it what happens. Choices are those of station_choice.js.
import { choice_of_permalink, is_own, moved_on, name_of, station_named, USUAL } from "./station_choice.js";

export const CODE_STATION_GONE = 4004;
const MOST_BEHIND_MS = 15000;          // sound is heard no later than so long after it was due,
const MOST_AHEAD_MS = 5000;            // and no sooner than so long before: else the server's clock was set

export class Route {
  #way;                                // as chosen, later the last known moment
  #name = null;                        // of the station that plays
  #personal = false;
  #moment = null;                      // { choice, at_ms, chunk_ms, now_ms }: what it played at_ms, by the server's clock
  #heard = null;                       // { due_ms, now_ms }: of the newest chunk that was heard; now_ms by performance.now()

  constructor(choice) {
    this.choice = choice;
    this.#way = choice;
  }

  // The query to connect with next.
  get query() {
    return this.#name === null ? this.#way : station_named(this.#name);
  }

  // A station of one's own, also one that was chosen by its name.
  get personal() {
    return this.#personal || is_own(this.choice);
  }

  // A link to what was heard last, or to what was chosen.
  get moment() {
    if (!this.#moment) return this.#way;
    const { choice, chunk_ms } = this.#moment;
    return this.#heard === null ? choice : moved_on(choice, Math.ceil(this.#heard_since_moment_ms() / chunk_ms) + 1);
  }

  // By the server's clock, if it went on meanwhile as time did here.
  #heard_since_moment_ms() {
    const told_ms = this.#heard.due_ms - this.#moment.at_ms;
    const passed_ms = this.#heard.now_ms - this.#moment.now_ms;
    return told_ms > passed_ms + MOST_AHEAD_MS || told_ms < passed_ms - MOST_BEHIND_MS ? passed_ms : told_ms;
  }

  // The station that was connected to told its status.
  joined({ station, personal }) {
    if (station !== this.#name) this.#moment = this.#heard = null;
    this.#name = station;
    this.#personal = personal;
  }

  // `report`: the station's part of GET /api/status?station=NAME.
  remember({ station, permalink, server_time, chunk_ms }, now_ms = performance.now()) {
    if (station !== this.#name) return;
    this.#moment = { choice: choice_of_permalink(permalink), at_ms: server_time * 1000, chunk_ms, now_ms };
  }

  // A chunk that was due then; an earlier one than before was heard already, unless the server's clock was set back.
  heard(due_ms, now_ms = performance.now()) {
    const before_ms = this.#heard?.due_ms ?? -Infinity;
    if (due_ms > before_ms || due_ms < before_ms - MOST_BEHIND_MS) this.#heard = { due_ms, now_ms };
  }

  // The station is no more. Returns whether there is another way to what was chosen.
  gone() {
    if (this.#personal) this.#way = this.moment;
    this.#name = this.#moment = null;
    return name_of(this.#way) === null;
  }
}

// Why the server refused a connection, which browsers do not tell, from GET /api/status; `status` is its body, null where
// there was no answer, and `found` whether it knows a station of the name that was asked for.
//   "later"          nothing is wrong with what was asked for
//   "unknown"        there is no such station
//   "no_place"       none is left for a station of one's own
//   "no_encoder"     one is left, but it cannot be compressed for a listener who saves data
//   "other_format"   a link of another sample rate or chunk size
//   "not_taken"      a link that is wrong in another way, or a full server
export function why_refused(query, status, found, saves_data = false) {
  if (!status || status.stations.length === 0) return "later";
  if (name_of(query) !== null) return found ? "later" : "unknown";
  if (query === USUAL || !status.ready) return "later";
  const { sample_rate, chunk_ms } = status.stations[0];
  const link = new URLSearchParams(query);
  const same = (field, value) => !link.has(field) || Number(link.get(field)) === value;
  if (!same("rate", sample_rate) || !same("chunk", chunk_ms)) return "other_format";
  if (status.places.free === 0) return "no_place";
  return saves_data && status.places.opus_free === 0 ? "no_encoder" : "not_taken";
}
