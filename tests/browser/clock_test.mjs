// SPDX-License-Identifier: MIT
// The player's clock, latency and message decoders, without a browser.
import assert from "node:assert/strict";
import test from "node:test";

import { ServerClock } from "../../streamd/web/clock.js";
import { decode_binary, decode_json } from "../../streamd/web/frame.js";
import { Latency } from "../../streamd/web/latency.js";

const RATE = 44100;

test("the clock trusts the ping with the least round trip", () => {
  const clock = new ServerClock();
  assert.equal(clock.offset_ms, null);
  clock.add(1000, 1400, 6390);                       // off by 190 ms, for a slow way back
  clock.add(2000, 2010, 7005);
  clock.add(3000, 3200, 8020);
  assert.equal(clock.offset_ms, 5000);
});

test("the clock is known once three replies agree, and discarded by one that contradicts", () => {
  const clock = new ServerClock();
  const ask = (sent_ms, round_trip_ms, offset_ms) =>
    clock.add(sent_ms, sent_ms + round_trip_ms, sent_ms + round_trip_ms / 2 + offset_ms);
  assert.equal(ask(0, 20, 5000), true);
  assert.equal(ask(100, 20, 5000), true);
  assert.equal(clock.offset_ms, null);
  assert.equal(ask(200, 20, 5000), true);
  assert.equal(clock.offset_ms, 5000);
  assert.equal(ask(300, 3000, 6400), true, "a slow reply may be that far off");
  assert.equal(ask(400, 20, 6000), false);
  assert.equal(clock.offset_ms, null);
  for (const sent_ms of [500, 600]) ask(sent_ms, 20, 6000);
  assert.equal(clock.offset_ms, 6000);
});

test("invalid or slow replies give no clock", () => {
  const clock = new ServerClock();
  for (let i = 0; i < 5; ++i) {
    clock.add(i * 100, i * 100 + 10, Number.NaN);
    clock.add(undefined, i * 100, 5000);
    clock.add(i * 100 + 10, i * 100, 5000);
    clock.add(i * 5000, i * 5000 + 4000, i * 5000 + 7000);
  }
  assert.equal(clock.offset_ms, null);
});

test("a latency that is impossible, or jumps, is neither shown nor reported", () => {
  for (const wrong_ms of [3_600_000, -3_600_000, -1500, Number.NaN, 5000]) {
    const latency = new Latency();
    for (let i = 0; i < 10; ++i) assert.equal(latency.add(200), true);
    assert.equal(latency.add(wrong_ms), false, `${wrong_ms} ms`);
    assert.equal(latency.shown_ms, null);
    assert.equal(latency.end_window(), false);
    assert.equal(latency.confirm(), null);
  }
});

test("a latency is reported once, when the clock is confirmed, and not if it was discarded meanwhile", () => {
  const latency = new Latency();
  for (const sample_ms of [180, 220]) latency.add(sample_ms);
  assert.equal(latency.confirm(), null);
  assert.equal(latency.end_window(), true);
  assert.equal(latency.confirm(), 200);
  assert.equal(latency.confirm(), null);
  latency.add(200);
  latency.end_window();
  latency.reset();
  assert.equal(latency.confirm(), null);
});

test("both message formats decode to the same chunk", () => {
  const samples = Int16Array.of(1, -2, 300, -32768);
  const message = new ArrayBuffer(32 + samples.byteLength);
  const view = new DataView(message);
  new Uint8Array(message).set([0x41, 0x55, 0x52, 0x31, 0, 2]);
  view.setBigUint64(8, 77n, true);
  view.setBigInt64(16, 1700000000250000n, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2, true);
  new Int16Array(message, 32).set(samples);
  const text = {
    type: "audio", seq: 77, timestamp: 1700000000.25, duration_ms: 100, sample_rate: RATE, channels: 2,
    data: Buffer.from(samples.buffer).toString("base64"),
  };
  assert.deepEqual(decode_binary(message), decode_json(text));
  assert.equal(decode_binary(message).due_ms, 1700000000250);

  view.setUint16(6, 1, true);
  assert.equal(decode_binary(message).silent, true);
  view.setUint8(4, 9);
  assert.equal(decode_binary(message), null);
  assert.equal(decode_binary(message.slice(0, 20)), null);
});
