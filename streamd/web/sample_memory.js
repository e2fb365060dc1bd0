// SPDX-License-Identifier: MIT
// The newest samples that were played, on the audio thread, as interleaved 16 bit stereo; and blocks of them from a moment on, for a
// recording. add() allocates once a block.

const BLOCK_S = 1;

export class SampleMemory {
  #ring;
  #at = 0;                             // where the next frame goes
  #filled = 0;                         // frames
  #block_frames;
  #block = null;                       // while it records
  #block_at = 0;
  #on_block = null;

  constructor(sample_rate, seconds) {
    this.#ring = new Int16Array(2 * Math.round(sample_rate * seconds));
    this.#block_frames = Math.round(sample_rate * BLOCK_S);
  }

  add(left, right) {
    const frames = this.#ring.length / 2;
    for (let i = 0; i < left.length; ++i) {
      const l = to_int16(left[i]);
      const r = to_int16(right[i]);
      this.#ring[2 * this.#at] = l;
      this.#ring[2 * this.#at + 1] = r;
      this.#at = this.#at + 1 === frames ? 0 : this.#at + 1;
      if (this.#on_block) this.#add_to_block(l, r);
    }
    this.#filled = Math.min(frames, this.#filled + left.length);
  }

  // A copy of what is there, oldest first.
  recent() {
    if (this.#filled < this.#ring.length / 2) return this.#ring.slice(0, 2 * this.#filled);
    const samples = new Int16Array(this.#ring.length);
    samples.set(this.#ring.subarray(2 * this.#at));
    samples.set(this.#ring.subarray(0, 2 * this.#at), this.#ring.length - 2 * this.#at);
    return samples;
  }

  // `on_block(samples)` from now on; null ends it, after the last block, which may be shorter.
  record(on_block) {
    if (this.#on_block && this.#block_at > 0) this.#on_block(this.#block.slice(0, this.#block_at));
    this.#on_block = on_block;
    this.#block = on_block && new Int16Array(2 * this.#block_frames);
    this.#block_at = 0;
  }

  #add_to_block(l, r) {
    this.#block[this.#block_at++] = l;
    this.#block[this.#block_at++] = r;
    if (this.#block_at < this.#block.length) return;
    const full = this.#block;
    this.#block = new Int16Array(full.length);
    this.#block_at = 0;
    this.#on_block(full);              // which may give it away
  }
}

// As a PCM chunk came: its samples are these, divided by 32,768.
function to_int16(sample) {
  return Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
}
