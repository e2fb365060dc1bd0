// SPDX-License-Identifier: MIT
// The clock of another thread or machine as seen from here. Of the last questions and answers, the one with the least round
// trip was delayed least, so its estimate is the best one. An answer that contradicts it tells that one of the clocks was
// set, or stood still: what was known before is forgotten.
//
// The time here is always performance.now(), which is never set.

const SAMPLES = 12;
const SURE_SAMPLES = 3;                // so many agree before the estimate is told
const MAX_ROUND_TRIP_MS = 2000;        // the best of them is off by half of it, at most
const TOLERANCE_MS = 250;              // clocks drift apart meanwhile, and some browsers tell the time to 100 ms only

export class ServerClock {
  #samples = [];

  // `sent` and `received` by performance.now(), `server_ms` by the other clock. Returns whether it agrees with those before.
  add(sent_ms, received_ms, server_ms) {
    const sample = { round_trip_ms: received_ms - sent_ms, offset_ms: server_ms - (sent_ms + received_ms) / 2 };
    if (!(sample.round_trip_ms >= 0) || !Number.isFinite(sample.offset_ms)) return true;
    const agrees = this.#agrees(sample);
    if (!agrees) this.#samples = [];
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    return agrees;
  }

  clear() {
    this.#samples = [];
  }

  // The other clock minus performance.now(); null while it is not sure.
  get offset_ms() {
    const best = this.#best();
    const sure = this.#samples.length >= SURE_SAMPLES && best.round_trip_ms <= MAX_ROUND_TRIP_MS;
    return sure ? best.offset_ms : null;
  }

  // Each is off by half its round trip, at most.
  #agrees({ round_trip_ms, offset_ms }) {
    const best = this.#best();
    if (!best) return true;
    const most_ms = (round_trip_ms + best.round_trip_ms) / 2 + TOLERANCE_MS;
    return Math.abs(offset_ms - best.offset_ms) <= most_ms;
  }

  #best() {
    let best = null;
    for (const sample of this.#samples) {
      if (!best || sample.round_trip_ms < best.round_trip_ms) best = sample;
    }
    return best;
  }
}
