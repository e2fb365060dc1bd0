// SPDX-License-Identifier: MIT
// How much faster the sound card's clock runs than the server's, from where both stood at two moments a minute or more apart. Pure.

const LEAST_MS = 60_000;               // before that what is known of the server's clock is too coarse
const JUMP_MS = 250;                   // a clock was set, or the sound card stood still

export class Drift {
  #begun = null;                       // { server_ms, ahead_ms }: the sound card's time less the server's
  #last_ahead_ms = 0;

  ppm = null;                          // parts in a million; null while unknown

  reset() {
    this.#begun = this.ppm = null;
  }

  // The sound card has played `card_ms` at the server's `server_ms`.
  add(card_ms, server_ms) {
    const ahead_ms = card_ms - server_ms;
    if (this.#begun !== null && Math.abs(ahead_ms - this.#last_ahead_ms) > JUMP_MS) this.reset();
    this.#begun ??= { server_ms, ahead_ms };
    this.#last_ahead_ms = ahead_ms;
    const passed_ms = server_ms - this.#begun.server_ms;
    if (passed_ms >= LEAST_MS) this.ppm = (ahead_ms - this.#begun.ahead_ms) / passed_ms * 1e6;
  }
}
