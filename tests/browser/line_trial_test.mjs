// SPDX-License-Identifier: MIT
// When the player tries whether a line carries lossless sound, in simulated time.
import assert from "node:assert/strict";
import test from "node:test";

import { LEAST_KBIT_S, LineTrial } from "../../streamd/web/line_trial.js";
import { World } from "./world.mjs";

// A trial whose connections the test answers.
function begin({ wanted = () => true } = {}) {
  const world = new World();
  const seen = { connections: [], fast: 0 };
  const trial = new LineTrial({
    wanted,
    connect: (answer) => {
      const connection = { answer, open: true, close() { this.open = false; } };
      seen.connections.push(connection);
      return connection;
    },
    on_fast: () => { ++seen.fast; },
  });
  return { world, trial, seen };
}

test("a fast line is found once, and the connection of the trial is closed", () => {
  const { world, seen } = begin();
  world.run(14_000);
  assert.equal(seen.connections.length, 0);
  world.run(2000);
  assert.equal(seen.connections.length, 1);
  seen.connections[0].answer(LEAST_KBIT_S);
  assert.equal(seen.fast, 1);
  assert.equal(seen.connections[0].open, false);
});

test("a line that is slow, refuses or does not answer is tried again after half an hour, never longer than for a moment", () => {
  for (const answer of [LEAST_KBIT_S - 1, 0, null]) {
    const { world, seen } = begin();
    world.run(15_000);
    if (answer !== null) seen.connections[0].answer(answer);
    world.run(2000);
    assert.equal(seen.connections[0].open, false);
    world.run(1_700_000);
    assert.equal(seen.connections.length, 1);
    world.run(120_000);
    assert.equal(seen.connections.length, 2);
    assert.equal(seen.fast, 0);
    // Too late to count.
    seen.connections[0].answer(LEAST_KBIT_S);
    assert.equal(seen.fast, 0);
  }
});

test("nothing is tried while it makes no sense, nor after the end", () => {
  let sense = false;
  const { world, trial, seen } = begin({ wanted: () => sense });
  world.run(600_000);
  assert.equal(seen.connections.length, 0);
  sense = true;
  world.run(16_000);
  assert.equal(seen.connections.length, 1);
  trial.end();
  assert.equal(seen.connections[0].open, false);
  world.run(3_600_000);
  assert.equal(seen.connections.length, 1);
});
