// SPDX-License-Identifier: MIT
// The time from a chunk's due time to the moment that it is heard: what is shown of it, and what is reported. A sample that
// cannot be, or that is far from those before, tells that a clock was set: then nothing is shown or reported until the
// clock has been asked again. Pure.

const LEAST_MS = -1000;                // what the server takes (docs/protocol.md, "playback_report")
const MOST_MS = 60000;
const JUMP_MS = 1000;                  // music is never as far ahead of, or behind, itself
const WEIGHT = 0.15;

export class Latency {
  #sum = 0;
  #count = 0;
  #window_ms = null;                   // mean of a window that waits for its confirmation

  shown_ms = null;                     // smoothed; null while it is not known

  // Returns whether the sample was taken; if not, those before are forgotten, too.
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

  // The clock is not known any more, or sound was suspended.
  reset() {
    this.shown_ms = this.#window_ms = null;
    this.#sum = this.#count = 0;
  }

  // Ends the window of a report. Returns whether there is something to report, once the clock has been asked again.
  end_window() {
    this.#window_ms = this.#count > 0 ? this.#sum / this.#count : null;
    this.#sum = this.#count = 0;
    return this.#window_ms !== null;
  }

  // The clock was asked, and is what it was: the mean of the window that ended last, once; else null.
  confirm() {
    const mean_ms = this.#window_ms;
    this.#window_ms = null;
    return mean_ms;
  }
}

export function smoothed(before, now, weight) {
  return before === null ? now : before + (now - before) * weight;
}
