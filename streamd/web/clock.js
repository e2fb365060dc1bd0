// SPDX-License-Identifier: MIT
// The server's clock as seen from here. Of the last pings, the one with the least round trip was delayed least, so its
// estimate is the best one.

const SAMPLES = 12;

// Unix time in milliseconds that never jumps while the page lives.
export function local_now_ms() {
  return performance.timeOrigin + performance.now();
}

export class ServerClock {
  #samples = [];

  // All times in Unix milliseconds; `sent` and `received` by the local clock.
  add(sent_ms, received_ms, server_ms) {
    this.#samples.push({ round_trip_ms: received_ms - sent_ms, offset_ms: server_ms - (sent_ms + received_ms) / 2 });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  clear() {
    this.#samples = [];
  }

  // Server time minus local time; null before the first answer.
  get offset_ms() {
    let best = null;
    for (const sample of this.#samples) {
      if (!best || sample.round_trip_ms < best.round_trip_ms) best = sample;
    }
    return best && best.offset_ms;
  }
}
