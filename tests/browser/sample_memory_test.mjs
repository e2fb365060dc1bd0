// SPDX-License-Identifier: MIT
// What the audio thread remembers of what it played, and hands over for a recording, on node alone.
import assert from "node:assert/strict";
import test from "node:test";

import { SampleMemory } from "../../streamd/web/sample_memory.js";

const RATE = 1000;

// `count` frames from number `first` on: n / 32768 on the left, its negative on the right.
function play(memory, first, count) {
  const frames = Float32Array.from({ length: count }, (_, i) => (first + i) / 32768);
  memory.add(frames, frames.map((sample) => -sample));
}

const lefts = (samples) => [...samples].filter((_, i) => i % 2 === 0);

test("the newest samples come oldest first, exactly as they were, also once the memory is full", () => {
  const memory = new SampleMemory(RATE, 0.01);
  play(memory, 0, 4);
  assert.deepEqual([...memory.recent()], [0, -0, 1, -1, 2, -2, 3, -3].map((one) => one + 0));
  play(memory, 4, 9);
  assert.deepEqual(lefts(memory.recent()), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.equal(memory.recent().length, 20);
});

test("a recording gets each sample once, in blocks, and the rest at its end", () => {
  const memory = new SampleMemory(RATE, 0.01);
  const blocks = [];
  play(memory, 0, 5);
  memory.record((block) => blocks.push(structuredClone(block, { transfer: [block.buffer] })));  // as a message port takes it
  for (let at = 5; at < 2505; at += 125) play(memory, at, 125);
  memory.record(null);
  play(memory, 2505, 5);
  assert.deepEqual(blocks.map(({ length }) => length), [2000, 2000, 1000]);
  assert.deepEqual(blocks.flatMap((block) => lefts(block)), Array.from({ length: 2500 }, (_, i) => 5 + i));
});

test("what is louder than full scale is cut, not turned over", () => {
  const memory = new SampleMemory(RATE, 0.01);
  memory.add(Float32Array.of(1.5, 1), Float32Array.of(-1.5, -1));
  assert.deepEqual([...memory.recent()], [32767, -32768, 32767, -32768]);
});
