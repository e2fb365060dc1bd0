// SPDX-License-Identifier: MIT
// By how much chunks come later than the earliest ones, over the last five minutes: what a buffer must hold for this line.
// Times are those of the sound card's clock. add() does not allocate. Pure.

const SETTLING_MS = 1500;              // past chunks come at once when a connection begins: they are not late
const BUCKET_MS = 30000;
const BUCKETS = 10;
const MAX_STEP_MS = 60000;             // beyond that a clock was set
const SUSPENDED_MS = 500;              // so much before all others no chunk comes, unless the clock stands still

export class Lateness {
  #earliest = new Float64Array(BUCKETS);  // by bucket of time: arrival less due time,
  #latest = new Float64Array(BUCKETS);    // of the chunk that came earliest, and latest
  #bucket = 0;
  #bucket_ms = 0;                      // when the newest bucket began
  #begun_ms = null;                    // when the first chunk came
  #last_ms = 0;
  #last_now_ms = 0;

  most_ms = 0;

  constructor() {
    this.clear();
  }

  // Forgets all: other chunks follow.
  clear() {
    this.#earliest.fill(Infinity);
    this.#latest.fill(-Infinity);
    this.#begun_ms = null;
    this.most_ms = 0;
  }

  // A chunk that is due at `due_ms` of the server's clock came at `now_ms`.
  add(now_ms, due_ms) {
    const offset_ms = now_ms - due_ms;
    const clock_set = this.#begun_ms !== null && Math.abs(offset_ms - this.#last_ms) > MAX_STEP_MS;
    // While the browser suspends the sound its clock stands still, and chunks go on coming.
    const stands = now_ms === this.#last_now_ms && offset_ms < this.#earliest_ms();
    if (clock_set || (stands && offset_ms < this.#earliest_ms() - SUSPENDED_MS)) this.clear();
    if (this.#begun_ms === null) this.#begun_ms = this.#bucket_ms = now_ms;
    this.#last_ms = offset_ms;
    this.#last_now_ms = now_ms;
    if (stands || now_ms - this.#begun_ms < SETTLING_MS) return;
    for (; now_ms - this.#bucket_ms >= BUCKET_MS; this.#bucket_ms += BUCKET_MS) {
      this.#bucket = (this.#bucket + 1) % BUCKETS;
      this.#earliest[this.#bucket] = Infinity;
      this.#latest[this.#bucket] = -Infinity;
    }
    this.#earliest[this.#bucket] = Math.min(this.#earliest[this.#bucket], offset_ms);
    this.#latest[this.#bucket] = Math.max(this.#latest[this.#bucket], offset_ms);
    let latest_ms = -Infinity;
    for (let i = 0; i < BUCKETS; ++i) latest_ms = Math.max(latest_ms, this.#latest[i]);
    this.most_ms = latest_ms - this.#earliest_ms();
  }

  // Infinity if there is none.
  #earliest_ms() {
    let earliest_ms = Infinity;
    for (let i = 0; i < BUCKETS; ++i) earliest_ms = Math.min(earliest_ms, this.#earliest[i]);
    return earliest_ms;
  }
}
