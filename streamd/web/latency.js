// SPDX-License-Identifier: MIT
// Time from a chunk's due time to the moment it is heard, as shown and as reported. An impossible sample, or one far from the
// earlier ones, shows that a clock was set: nothing is shown or reported then until the clock has been measured again. Pure.

const LEAST_MS = -1000;                // what the server accepts (docs/protocol.md, "playback_report")
const MOST_MS = 60000;
const JUMP_MS = 2500;                  // further than playback ever skips at once
const WEIGHT = 0.15;

export class Latency {
  #sum = 0;
  #count = 0;
  #window_ms = null;                   // mean of a window that is not confirmed yet

  shown_ms = null;                     // smoothed; null while unknown

  // Returns whether the sample was accepted; if not, the earlier ones are discarded as well.
  add(latency_ms) {
    const possible = latency_ms >= LEAST_MS && latency_ms <= MOST_MS;
    if (!possible || Math.abs(latency_ms - (this.shown_ms ?? latency_ms)) > JUMP_MS) {
      this.reset();
      return false;
    }
    this.shown_ms = smoothed(this.shown_ms, latency_ms, WEIGHT);
    this.#sum += latency_ms;
    ++this.#count;
    return true;
  }

  // Discards the samples: the clock is unknown, or sound was suspended.
  reset() {
    this.shown_ms = this.#window_ms = null;
    this.#sum = this.#count = 0;
  }

  // Ends a report's window. Returns whether there is something to report once the clock has been confirmed.
  end_window() {
    this.#window_ms = this.#count > 0 ? this.#sum / this.#count : null;
    this.#sum = this.#count = 0;
    return this.#window_ms !== null;
  }

  // The clock is confirmed: returns the mean of the last window, once; else null.
  confirm() {
    const mean_ms = this.#window_ms;
    this.#window_ms = null;
    return mean_ms;
  }
}

export function smoothed(before, now, weight) {
  return before === null ? now : before + (now - before) * weight;
}
