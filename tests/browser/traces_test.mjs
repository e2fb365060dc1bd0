// SPDX-License-Identifier: MIT
// The player's jitter buffer on lines that delay what they carry, and with sound cards that run too fast or too slow: ten minutes
// of each in simulated time. A trace in traces/ has, for each chunk of 100 ms, by how many milliseconds it comes late, or N*MS
// for N of them; a chunk never overtakes the one before.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { JitterBuffer } from "../../streamd/web/jitter_buffer.js";

const RATE = 44100;
const CHUNK = 4410;
const PULL = 441;
const LENGTH_MS = 600_000;
const PAST_CHUNKS = 10;                // that a listener is sent at once,
const LEAD_CHUNKS = 5;                 // with those that are not due yet
const SAMPLES = new Int16Array(2 * CHUNK);

function lateness_of(name) {
  return readFileSync(new URL(`traces/${name}.txt`, import.meta.url), "utf8").trim().split(/\s+/).flatMap((word) => {
    const [count, late_ms] = word.includes("*") ? word.split("*").map(Number) : [1, Number(word)];
    return Array(count).fill(late_ms);
  });
}

// Plays for LENGTH_MS. `late_ms`: by chunk. `drift`: by how much the sound card is too fast.
function play({ late_ms = [], drift = 0 }) {
  const buffer = new JitterBuffer({ output_rate: RATE });
  const left = new Float32Array(PULL);
  const right = new Float32Array(PULL);
  const pull_ms = PULL * 1000 / RATE / (1 + drift);
  let seq = 0;
  let arrives_ms = 0;
  for (let now_ms = 0; now_ms < LENGTH_MS; now_ms += pull_ms) {
    for (;; ++seq) {
      const live = seq - PAST_CHUNKS - LEAD_CHUNKS;
      arrives_ms = Math.max(arrives_ms, live * 100 + (late_ms[live] ?? 0));
      if (arrives_ms > now_ms) break;
      buffer.append({ seq, due_ms: 1e12 + seq * 100, rate: RATE, frames: CHUNK, silent: false, samples: SAMPLES });
    }
    buffer.pull(left, right, PULL);
  }
  return buffer;
}

// Of each trace, the most silences that may be heard.
const TRACES = {
  "stall-0.6-s-each-20-s": 0, "stall-1.5-s-each-30-s": 0, "stall-3-s-each-60-s": 1, "jitter-0-to-400-ms": 0, "busy": 0,
};

for (const [name, most] of Object.entries(TRACES)) {
  test(`${name}: at most ${most} silences in ten minutes`, () => {
    const late_ms = lateness_of(name);
    assert.equal(late_ms.length, LENGTH_MS / 100);
    const buffer = play({ late_ms });
    console.log(`${buffer.underruns} silences, ${Math.round(buffer.silence_ms)} ms`);
    assert.ok(buffer.underruns <= most, `${buffer.underruns} silences`);
    assert.deepEqual([buffer.skips, buffer.gaps], [0, 0]);
  });
}

for (const drift of [-0.001, 0.001]) {
  test(`a sound card ${drift * 1e6} ppm off is heard without silence and without a skip`, () => {
    const buffer = play({ drift });
    assert.deepEqual([buffer.underruns, buffer.skips, buffer.silence_ms], [0, 0, 0]);
  });
}
