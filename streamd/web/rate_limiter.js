// SPDX-License-Identifier: MIT
// Keeps a listener's changes within the server's rate limit (docs/protocol.md, "Limits"). Without it, dragging a slider would
// have most changes refused, possibly including the last one.

const INTERVAL_MS = 1050;              // the server allows one a second, by its own clock,
const BURST = 4;                       // and a burst of five

export class RateLimiter {
  #free_ms = 0;                        // when the whole burst is available again

  // Returns how long to delay a change at `now_ms`, and counts it as made.
  take(now_ms) {
    this.#free_ms = Math.max(this.#free_ms, now_ms) + INTERVAL_MS;
    return Math.max(0, this.#free_ms - now_ms - BURST * INTERVAL_MS);
  }
}
