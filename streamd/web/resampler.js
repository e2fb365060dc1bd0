// SPDX-License-Identifier: MIT
// Stereo sound at another rate: a filter of its own for each place that an output frame can have between two input frames.
// What it adds lies 80 dB below the sound; it takes 19 kHz and more through, at the rates of music.

const TAPS = 48;
const SHARPNESS = 8;                   // of the Kaiser window

export class Resampler {
  #phases;                             // places between two input frames,
  #step;                               // and how many of them an output frame is from the next
  #filters;                            // TAPS numbers a phase
  #place = 0;                          // of the next output frame, in phases after the first frame of #kept
  #kept = new Float32Array(2 * TAPS);  // input that later frames need too

  constructor(from_rate, to_rate) {
    const divisor = greatest_common_divisor(from_rate, to_rate);
    this.#phases = to_rate / divisor;
    this.#step = from_rate / divisor;
    this.#filters = make_filters(this.#phases, Math.min(1, to_rate / from_rate));
    // So far the output lags behind the input.
    this.delay_ms = TAPS / 2 * 1000 / from_rate;
    this.reset();
  }

  // What comes next is another sound.
  reset() {
    this.#place = this.#phases;
    this.#kept = new Float32Array(2 * TAPS);
  }

  // Interleaved, as 16 bit numbers or floats; gives floats.
  process(samples) {
    const input = new Float32Array(this.#kept.length + samples.length);
    input.set(this.#kept);
    const scale = samples instanceof Int16Array ? 1 / 32768 : 1;
    for (let i = 0; i < samples.length; ++i) input[this.#kept.length + i] = samples[i] * scale;

    // A frame needs TAPS input frames.
    const last = (input.length / 2 - TAPS + 1) * this.#phases - 1;
    const count = Math.max(0, Math.floor((last - this.#place) / this.#step) + 1);
    const output = new Float32Array(2 * count);
    for (let i = 0; i < count; ++i, this.#place += this.#step) this.#make_frame(input, output, i);

    const used = Math.floor(this.#place / this.#phases);
    this.#place -= used * this.#phases;
    this.#kept = input.slice(2 * used);
    return output;
  }

  #make_frame(input, output, i) {
    const first = Math.floor(this.#place / this.#phases);
    const filter = (this.#place - first * this.#phases) * TAPS;
    let left = 0;
    let right = 0;
    for (let tap = 0; tap < TAPS; ++tap) {
      const weight = this.#filters[filter + tap];
      left += weight * input[2 * (first + tap)];
      right += weight * input[2 * (first + tap) + 1];
    }
    output[2 * i] = left;
    output[2 * i + 1] = right;
  }
}

// `band`: how much of the input's band is let through.
function make_filters(phases, band) {
  const filters = new Float32Array(phases * TAPS);
  for (let phase = 0; phase < phases; ++phase) {
    const filter = filters.subarray(phase * TAPS, (phase + 1) * TAPS);
    let sum = 0;
    for (let tap = 0; tap < TAPS; ++tap) {
      const off = tap - (TAPS / 2 - 1) - phase / phases;         // from the middle, in input frames
      const turn = Math.PI * off * band;
      const window = bessel(SHARPNESS * Math.sqrt(Math.max(0, 1 - (off / (TAPS / 2)) ** 2)));
      filter[tap] = window * (turn === 0 ? 1 : Math.sin(turn) / turn);
      sum += filter[tap];
    }
    for (let tap = 0; tap < TAPS; ++tap) filter[tap] /= sum;     // as loud at every place
  }
  return filters;
}

// The modified Bessel function of order 0, of which the Kaiser window is made.
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-9; ++k) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatest_common_divisor(a, b) {
  return b === 0 ? a : greatest_common_divisor(b, a % b);
}
