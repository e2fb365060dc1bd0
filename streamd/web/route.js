// SPDX-License-Identifier: MIT
// Where to connect for what a listener has chosen: first as chosen; once a station has told its name, by that, so that a
// broken connection comes back to the same one; and where a station of one's own is no more, by the permalink of the moment
// that was heard last. Pure: who uses it tells it what happens. Choices are those of station_choice.js.
import { choice_of_permalink, is_own, moved_on, name_of, station_named, USUAL } from "./station_choice.js";

export const CODE_STATION_GONE = 4004;

export class Route {
  #way;                                // as chosen, later the last known moment
  #name = null;                        // of the station that plays
  #personal = false;
  #moment = null;                      // { choice, at_ms, chunk_ms }: what it played then, by the server's clock
  #heard_ms = null;                    // the newest chunk that was heard was due then

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
    const { choice, at_ms, chunk_ms } = this.#moment;
    return this.#heard_ms === null ? choice : moved_on(choice, Math.ceil((this.#heard_ms - at_ms) / chunk_ms) + 1);
  }

  // The station that was connected to told its status.
  joined({ station, personal }) {
    if (station !== this.#name) this.#moment = this.#heard_ms = null;
    this.#name = station;
    this.#personal = personal;
  }

  // `report`: the station's part of GET /api/status?station=NAME.
  remember({ station, permalink, server_time, chunk_ms }) {
    if (station !== this.#name) return;
    this.#moment = { choice: choice_of_permalink(permalink), at_ms: server_time * 1000, chunk_ms };
  }

  heard(due_ms) {
    this.#heard_ms = Math.max(this.#heard_ms ?? 0, due_ms);
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
//   "other_format"   a link of another sample rate or chunk size
//   "not_taken"      a link that is wrong in another way, or a full server
export function why_refused(query, status, found) {
  if (!status || status.stations.length === 0) return "later";
  if (name_of(query) !== null) return found ? "later" : "unknown";
  if (query === USUAL || !status.ready) return "later";
  const { sample_rate, chunk_ms } = status.stations[0];
  const link = new URLSearchParams(query);
  const same = (field, value) => !link.has(field) || Number(link.get(field)) === value;
  if (!same("rate", sample_rate) || !same("chunk", chunk_ms)) return "other_format";
  return status.places.free === 0 ? "no_place" : "not_taken";
}
