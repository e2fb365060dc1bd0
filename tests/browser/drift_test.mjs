// SPDX-License-Identifier: MIT
// How the drift of a sound card is found (drift.js).
import assert from "node:assert/strict";
import { test } from "node:test";

import { Drift } from "../../streamd/web/drift.js";

const SERVER_MS = 1.7e12;

// The sound card runs `ppm` faster than the server, whose clock is known to +-`error_ms`.
function run(drift, { ppm, ms, from_ms = 0, error_ms = 0, card_offset_ms = 0 }) {
  for (let at_ms = from_ms; at_ms <= from_ms + ms; at_ms += 100) {
    const error = at_ms / 100 % 2 === 0 ? error_ms : -error_ms;
    drift.add(at_ms * (1 + ppm / 1e6) + card_offset_ms, SERVER_MS + at_ms + error);
  }
}

for (const ppm of [0, 120, -950]) {
  test(`a sound card that runs ${ppm} ppm faster is found after a minute, and no earlier`, () => {
    const drift = new Drift();
    run(drift, { ppm, ms: 50_000 });
    assert.equal(drift.ppm, null);
    run(drift, { ppm, ms: 30_000, from_ms: 50_000 });
    assert.ok(Math.abs(drift.ppm - ppm) < 1, `${drift.ppm}`);
  });
}

test("in ten minutes a clock that is known to 2 ms gives it to 10 ppm", () => {
  const drift = new Drift();
  run(drift, { ppm: 200, ms: 600_000, error_ms: 2 });
  assert.ok(Math.abs(drift.ppm - 200) < 10, `${drift.ppm}`);
});

test("it begins again where a clock was set or the sound card stood still", () => {
  const drift = new Drift();
  run(drift, { ppm: 100, ms: 120_000 });
  run(drift, { ppm: 100, ms: 50_000, from_ms: 120_000, card_offset_ms: -5000 });
  assert.equal(drift.ppm, null);
  run(drift, { ppm: 100, ms: 40_000, from_ms: 170_000, card_offset_ms: -5000 });
  assert.ok(Math.abs(drift.ppm - 100) < 1, `${drift.ppm}`);
});
