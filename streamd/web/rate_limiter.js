// SPDX-License-Identifier: MIT
// Keeps a listener within the server's limit of changes (docs/protocol.md, "Limits"): who drags a slider would else have
// most of what it passes refused, and the last of it, where it stays, among them.

const INTERVAL_MS = 1050;              // the server grants one a second, by a clock of its own,
const BURST = 4;                       // and five at once

export class RateLimiter {
  #free_ms = 0;                        // when all of the burst is there again

  // How long to wait with a change that is to be made at `now_ms`; counted as made.
  take(now_ms) {
    this.#free_ms = Math.max(this.#free_ms, now_ms) + INTERVAL_MS;
    return Math.max(0, this.#free_ms - now_ms - BURST * INTERVAL_MS);
  }
}
