// SPDX-License-Identifier: MIT
// Finds out whether the listener's line carries lossless sound: by the rate at which a second connection, which is closed
// again, gets its past chunks in PCM. Tried again later where the line is not fast enough now, or the sound is Opus again.

const FIRST_TRIAL_MS = 15000;
const NEXT_TRIAL_MS = 1800000;        // a trial costs a slow line as much as seconds of Opus
const TRIAL_LIMIT_MS = 1500;           // several times as long as a fast line takes
export const LEAST_KBIT_S = 3 * 44100 * 2 * 16 / 1000;  // three times the rate of PCM
export const LEAST_OPUS_KBIT_S = 1000; // a line on which the first chunks come slower even in Opus is not worth a trial

export class LineTrial {
  #handlers;
  #timer = 0;
  #connection = null;

  // `handlers`: wanted(), whether a trial makes sense now; connect(on_result), which opens a connection in PCM that is heard
  // nowhere, and has on_result(kbit_s) called with the rate of its first chunks, 0 if it fails; on_fast().
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
    const connection = this.#handlers.connect((kbit_s) => {
      if (connection !== this.#connection) return;
      this.#try_in(NEXT_TRIAL_MS);
      if (kbit_s >= LEAST_KBIT_S) this.#handlers.on_fast();
    });
    this.#connection = connection;
  }
}
