// SPDX-License-Identifier: MIT
// Where the buffered audio is silence in place of missing chunks: ranges of positions, of which the newest are kept. Does not
// allocate after construction. Pure.

const MOST = 64;                       // more than a buffer of ten seconds holds, in chunks of 100 ms

export class Silences {
  #begins = new Float64Array(MOST).fill(-1);
  #ends = new Float64Array(MOST).fill(-1);
  #newest = 0;

  // In rising order.
  add(begin, end) {
    if (this.#ends[this.#newest] !== begin) {
      this.#newest = (this.#newest + 1) % MOST;
      this.#begins[this.#newest] = begin;
    }
    this.#ends[this.#newest] = end;
  }

  include(position) {
    for (let i = 0; i < MOST; ++i) {
      if (position >= this.#begins[i] && position < this.#ends[i]) return true;
    }
    return false;
  }
}
