// SPDX-License-Identifier: MIT
// How the player spreads a listener's changes over time, on a clock that the test moves.
import assert from "node:assert/strict";
import test from "node:test";

import { RateLimiter } from "../../streamd/web/rate_limiter.js";

// The server's rate limit: a burst of five, and one a second.
function refused(times_ms) {
  let tokens = 5;
  let last_ms = 0;
  return times_ms.filter((now_ms) => {
    tokens = Math.min(5, tokens + (now_ms - last_ms) / 1000);
    last_ms = now_ms;
    if (tokens < 1) return true;
    tokens -= 1;
    return false;
  });
}

test("a few changes at a time are not delayed", () => {
  const rate_limiter = new RateLimiter();
  assert.deepEqual([1000, 1001, 1002, 1003].map((now_ms) => rate_limiter.take(now_ms)), [0, 0, 0, 0]);
  assert.ok(rate_limiter.take(1004) > 900);
});

test("however many there are, the server refuses none", () => {
  const rate_limiter = new RateLimiter();
  const sent_ms = [];
  // Dragging a slider for a minute: the next change comes as soon as the last one is sent.
  for (let now_ms = 0; now_ms < 60_000;) {
    now_ms += Math.max(150, rate_limiter.take(now_ms));
    sent_ms.push(now_ms);
  }
  assert.deepEqual(refused(sent_ms), []);
  assert.ok(sent_ms.length > 55);
});

test("after a pause a change is sent at once", () => {
  const rate_limiter = new RateLimiter();
  for (let i = 0; i < 10; ++i) rate_limiter.take(0);
  assert.equal(rate_limiter.take(20_000), 0);
});
