// SPDX-License-Identifier: MIT
// Estimates the clock of another thread or machine. Of the last requests and replies, the one with the shortest round trip
// was delayed least, so its estimate is the best one. A reply that contradicts it shows that one of the clocks was set or
// stopped: earlier samples are discarded.
//
// Local time is always performance.now(), which is never set.

const SAMPLES = 12;
const SURE_SAMPLES = 3;                // samples that must agree before there is an estimate
const MAX_ROUND_TRIP_MS = 2000;        // the best one's error is at most half of it
const TOLERANCE_MS = 250;              // for drift, and for browsers whose clock has a resolution of 100 ms

export class ServerClock {
  #samples = [];

  // `sent_ms` and `received_ms` by performance.now(), `server_ms` by the other clock. Returns whether the sample agrees with
  // the earlier ones.
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

  // The other clock minus performance.now(); null while it is unknown.
  get offset_ms() {
    const best = this.#best();
    const sure = this.#samples.length >= SURE_SAMPLES && best.round_trip_ms <= MAX_ROUND_TRIP_MS;
    return sure ? best.offset_ms : null;
  }

  // The error of each is at most half its round trip.
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
