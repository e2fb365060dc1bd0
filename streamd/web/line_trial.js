// SPDX-License-Identifier: MIT
// Finds out whether the listener's line carries lossless sound: by the rate at which a second connection, which is closed
// again, gets its past chunks in PCM. For a line that is not fast enough now, it is tried again later.

const FIRST_TRIAL_MS = 15000;          // of undisturbed playback
const NEXT_TRIAL_MS = 300000;
const TRIAL_LIMIT_MS = 10000;
const LEAST_KBIT_S = 3 * 44100 * 2 * 16 / 1000;  // three times the rate of PCM

export class LineTrial {
  #handlers;
  #timer = 0;
  #connection = null;

  // `handlers`: wanted(), whether a trial makes sense now; connect(on_rate), which opens a connection in PCM that is heard
  // nowhere; on_fast(), at most once.
  constructor(handlers) {
    this.#handlers = handlers;
    this.#try_in(FIRST_TRIAL_MS);
  }

  end() {
    clearTimeout(this.#timer);
    this.#connection?.close();
    this.#connection = null;
  }

  #try_in(ms) {
    this.end();
    this.#timer = setTimeout(() => this.#try(), ms);
  }

  #try() {
    if (!this.#handlers.wanted()) return this.#try_in(FIRST_TRIAL_MS);
    this.#timer = setTimeout(() => this.#try_in(NEXT_TRIAL_MS), TRIAL_LIMIT_MS);
    this.#connection = this.#handlers.connect((kbit_s) => {
      if (kbit_s < LEAST_KBIT_S) return this.#try_in(NEXT_TRIAL_MS);
      this.end();
      this.#handlers.on_fast();
    });
  }
}
