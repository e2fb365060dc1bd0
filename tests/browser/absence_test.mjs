// SPDX-License-Identifier: MIT
// The player's connection and timeouts when their thread does not run for a while, and when a clock is set, with time, timers
// and a network that the test moves. It does not prove how a browser sleeps.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { fetch_status } from "../../streamd/web/api_client.js";
import { Connection } from "../../streamd/web/connection.js";
import { Presence } from "../../streamd/web/presence.js";
import { Sound } from "../../streamd/web/sound.js";
import { World } from "./world.mjs";

const HOUR_MS = 3_600_000;
const SLEEPS = [[true, "counts the sleep"], [false, "stands still in the sleep"]];

let world;
beforeEach(() => { world = new World(); });

// A connection that has been open for `open_ms`.
function connect({ open_ms = 3000 } = {}) {
  const told = { states: [], offsets: [] };
  const connection = new Connection("ws://server/ws/stream", ["auralis.json.v1"], {
    on_audio: () => {}, on_message: () => {},
    on_state: (state) => told.states.push(state),
    on_offset: (offset_ms) => told.offsets.push(offset_ms),
  });
  connection.open();
  if (open_ms > 0) {
    world.sockets[0].open();
    world.run(open_ms);
  }
  return { connection, told, socket: world.sockets[0] };
}

// The offset that on_offset() should report now.
const true_offset_ms = () => world.server_s() * 1000 - world.now_ms();

function assert_offset(told, expected_ms) {
  assert.ok(Math.abs(told - expected_ms) < 100, `${told} instead of ${expected_ms}`);
}

for (const [counted, how] of SLEEPS) {
  test(`a connection that is alive after a sleep is kept, if performance.now() ${how}`, () => {
    const { connection, told, socket } = connect();
    world.sleep(HOUR_MS, { counted });
    world.run(20_000);
    assert.deepEqual([told.states, world.sockets.length], [["connecting", "open"], 1]);
    const woken_ms = world.now_ms() - 20_000;
    assert.ok(socket.pings.some((at_ms) => at_ms >= woken_ms && at_ms <= woken_ms + 1000), "a ping is sent at once");
    connection.close();
  });

  test(`a connection that is dead after a sleep is dropped soon, if performance.now() ${how}`, () => {
    const { connection, told, socket } = connect();
    world.sleep(HOUR_MS, { counted });
    socket.alive = false;
    world.run(3000);
    assert.equal(told.states.at(-1), "open", "it is pinged before it is judged");
    world.run(2000);
    assert.ok(told.states.includes("waiting"));
    connection.close();
  });

  test(`after a sleep the server's clock is unknown until it is measured again, if performance.now() ${how}`, () => {
    const { connection, told } = connect();
    assert_offset(told.offsets.at(-1), true_offset_ms());
    // A reply is in transit when the machine falls asleep.
    world.run(world.sockets[0].pings.at(-1) + 5005 - world.now_ms());
    const before = told.offsets.length;
    world.sleep(HOUR_MS, { counted });
    world.run(2000);
    const after = told.offsets.slice(before);
    assert.equal(after[0], null);
    for (const offset_ms of after.filter((offset_ms) => offset_ms !== null)) assert_offset(offset_ms, true_offset_ms());
    assert_offset(after.at(-1), true_offset_ms());
    connection.close();
  });

  test(`an attempt to connect survives a sleep, if performance.now() ${how}`, () => {
    const { connection, told, socket } = connect({ open_ms: 0 });
    world.run(1000);
    world.sleep(HOUR_MS, { counted });
    world.deliver(1500, () => socket.open());
    world.run(3000);
    assert.deepEqual([told.states, world.sockets.length], [["connecting", "open"], 1]);
    connection.close();
  });
}

for (const [counted, how] of SLEEPS) {
  test(`a timeout counts only time in which the thread ran, if performance.now() ${how}`, () => {
    const presence = new Presence();
    presence.start();
    let met = false;
    presence.after(10_000, () => { met = true; });
    for (let i = 0; i < 3; ++i) {
      world.run(2500);
      world.sleep(HOUR_MS, { counted });
    }
    world.run(0);
    assert.equal(met, false);
    world.run(3000);
    assert.equal(met, true);
    presence.stop();
  });

  test(`a return is reported before any timeout fires, and may cancel it, if performance.now() ${how}`, () => {
    let limit = null;
    let returns = 0;
    const presence = new Presence(() => {
      ++returns;
      limit.cancel();
    });
    presence.start();
    limit = presence.after(1000, () => assert.fail("cancelled"));
    world.run(999);
    world.sleep(HOUR_MS, { counted });
    world.run(5000);
    assert.equal(returns, 1);
    presence.stop();
  });

  test(`a sleep is not mistaken for a missing sound device, if performance.now() ${how}`, () => {
    const presence = new Presence();
    presence.start();
    const sound = new Sound(presence);
    const output = { closed: false, suspended: false };
    const report = { playing: true, sounding: true, level_ms: 100, underruns: 0, gaps: 0, skips: 0, listened_ms: 0, silence_ms: 0, position: null };
    world.run(2000);
    sound.apply(report);
    assert.deepEqual([sound.fresh, sound.obstacle_of(output)], [true, null]);
    world.sleep(HOUR_MS, { counted });
    world.run(1001);
    assert.deepEqual([sound.fresh, sound.obstacle_of(output)], [false, null]);
    world.run(3000);
    assert.equal(sound.obstacle_of(output), "no_device");
    presence.stop();
  });
}

test("a position reported before sound was suspended does not count for the latency", () => {
  const presence = new Presence();
  presence.start();
  const sound = new Sound(presence);
  const offset_ms = true_offset_ms();
  const due_ms = world.now_ms() + offset_ms - 200;
  assert.equal(sound.measure({ due_ms, heard_ms: world.now_ms(), card_ms: world.now_ms(), offset_ms }), true);
  assert.equal(sound.latency_ms, 200);
  // By a sound card's clock that stood still for a minute.
  assert.equal(sound.measure({ due_ms, heard_ms: world.now_ms() - 60_000, card_ms: world.now_ms() - 60_000, offset_ms }), true);
  assert.equal(sound.latency_ms, 200);
  presence.stop();
});

test("a report counts what went wrong since the last one", () => {
  const presence = new Presence();
  presence.start();
  const sound = new Sound(presence);
  const output = { mode: "worklet", closed: false, suspended: false };
  world.run(700);
  const offset_ms = true_offset_ms();
  const measure = () => sound.measure({
    due_ms: world.now_ms() + offset_ms - 200, heard_ms: world.now_ms(), card_ms: world.now_ms(), offset_ms,
  });
  const report = (underruns, gaps, skips, listened_ms, silence_ms) => {
    const counts = { underruns, gaps, skips, listened_ms, silence_ms };
    sound.apply({ playing: true, sounding: true, level_ms: 90, target_ms: 2000, ...counts, position: null });
    measure();
    sound.end_window();
    const { type, way, latency_ms, buffer_ms, target_ms, least_buffer_ms, ...events } = sound.report(output);
    assert.deepEqual([type, way, latency_ms, buffer_ms], ["playback_report", "worklet", 200, 90]);
    assert.deepEqual([target_ms, least_buffer_ms], [2000, 90]);
    return events;
  };
  const first = { underruns: 1, gaps: 5, skips: 0, listened_ms: 5000, silence_ms: 40.1, startup_ms: 700 };
  assert.deepEqual(report(1, 5, 0, 5000, 40.06), first);
  output.suspended = true;
  measure();
  sound.end_window();
  assert.equal(sound.report(output), null);
  output.suspended = false;
  assert.deepEqual(report(1, 8, 2, 9000, 40.06), { underruns: 0, gaps: 3, skips: 2, listened_ms: 4000, silence_ms: 0 });
  const last = { underruns: 0, gaps: 1_000_000, skips: 0, listened_ms: 86_400_000, silence_ms: 0 };
  assert.deepEqual(report(1, 2_000_000, 2, 1e9, 40.06), last);
  presence.stop();
});

test("an <audio> element reports without a latency, which it does not know, and the least that was buffered", () => {
  const presence = new Presence();
  presence.start();
  const sound = new Sound(presence);
  const output = { mode: "element", closed: false, suspended: false };
  const counts = { underruns: 0, gaps: 0, skips: 0, listened_ms: 0, silence_ms: 0, target_ms: null, position: null };
  for (const level_ms of [900, 300, 700]) sound.apply({ playing: true, sounding: true, level_ms, ...counts });
  const { way, least_buffer_ms, ...rest } = sound.report(output);
  assert.deepEqual([way, least_buffer_ms], ["element", 300]);
  assert.deepEqual(["latency_ms", "target_ms", "drift_ppm"].filter((name) => name in rest), []);
  presence.stop();
});

test("a tab that runs once a minute keeps its connection", () => {
  const { connection, told } = connect();
  for (let minute = 0; minute < 10; ++minute) {
    world.sleep(60_000, { counted: true });
    world.run(20);
  }
  assert.deepEqual([told.states, world.sockets.length], [["connecting", "open"], 1]);
  connection.close();
});

for (const late_ms of [0, 1000]) {
  test(`a connection that falls silent is dropped within seconds, with timers ${late_ms} ms late`, () => {
    const { connection, told, socket } = connect();
    socket.alive = false;
    for (let passed_ms = 0; passed_ms < 10_000; passed_ms += 50 + late_ms) {
      world.run(50);
      world.sleep(late_ms, { counted: true });
    }
    assert.ok(told.states.includes("waiting"));
    connection.close();
  });
}

function lose(socket) {
  socket.closed = true;
  socket.onclose({ code: 1006 });
}

// Refuses all connections for `ms`; over HTTP the server answers if it is `up`. Returns when it was asked or connected to, from now on.
async function attempts(ms, { up = false } = {}) {
  const begun_ms = world.now_ms();
  const made = [];
  const fetched = globalThis.fetch;
  globalThis.fetch = async (url) => {
    assert.equal(url.href, "http://server/healthz");
    made.push(world.now_ms() - begun_ms);
    if (!up) throw new TypeError("refused");
    return { ok: true };
  };
  while (world.now_ms() - begun_ms < ms) {
    world.run(5);
    await new Promise(setImmediate);
    if (world.sockets.at(-1).closed) continue;
    made.push(world.now_ms() - begun_ms);
    lose(world.sockets.at(-1));
  }
  globalThis.fetch = fetched;
  return made;
}

test("after a connection that lasted the server is tried at once, twice a second for five seconds, and at least every five", async () => {
  const { connection, socket } = connect({ open_ms: 6000 });
  lose(socket);
  const made = await attempts(200_000);
  assert.ok(made[0] <= 10, `${made[0]} ms`);
  const waits = made.slice(1).map((at_ms, i) => [at_ms, at_ms - made[i]]);
  for (const [at_ms, wait_ms] of waits) assert.ok(wait_ms >= 100 && wait_ms <= (at_ms < 5500 ? 500 : 5010), `${wait_ms} ms at ${at_ms} ms`);
  assert.ok(waits.at(-1)[1] > 4000, "the waits grow");
  assert.ok(world.sockets.length <= 3, "a browser delays WebSockets after some that have failed");
  await attempts(5000, { up: true });
  assert.ok(world.sockets.length > 2, "it connects once the server answers");
  connection.close();
});

test("a server that answers and never accepts is left alone for ever longer", async () => {
  for (const open_ms of [0, 6000]) {
    world = new World();
    const { connection, socket } = connect({ open_ms });
    lose(socket);
    const made = await attempts(30_000, { up: true });
    assert.ok(made.length > 5 && made.length < 16, `${made.length} attempts`);
    connection.close();
  }
});

test("an attempt to connect that hangs is abandoned", () => {
  const { connection, told } = connect({ open_ms: 0 });
  world.run(7000);
  assert.deepEqual(told.states.slice(0, 2), ["connecting", "waiting"]);
  connection.close();
});

for (const step_ms of [HOUR_MS, -HOUR_MS, 2000]) {
  test(`the server's clock set by ${step_ms} ms: no wrong offset is reported, and the right one soon`, () => {
    const { connection, told } = connect();
    const before_ms = true_offset_ms();
    world.server_step_ms += step_ms;
    const first = told.offsets.length;
    world.run(7000);
    const after = told.offsets.slice(first);
    assert.equal(after[0], null, "the first contradicting reply");
    for (const offset_ms of after.filter((offset_ms) => offset_ms !== null)) assert_offset(offset_ms, before_ms + step_ms);
    assert_offset(after.at(-1), before_ms + step_ms);
    connection.close();
  });

  test(`this machine's clock set by ${step_ms} ms changes nothing`, () => {
    const { connection, told } = connect();
    const before_ms = true_offset_ms();
    world.wall_step_ms += step_ms;
    world.run(20_000);
    for (const offset_ms of told.offsets.filter((offset_ms) => offset_ms !== null)) assert_offset(offset_ms, before_ms);
    assert.notEqual(told.offsets.at(-1), null);
    assert.deepEqual(told.states, ["connecting", "open"]);
    connection.close();
  });
}

test("a server whose clock is set all the time is not flooded with pings, and never trusted", () => {
  const { connection, told, socket } = connect();
  const first = told.offsets.length;
  const pings = socket.pings.length;
  for (let passed_ms = 0; passed_ms < 60_000; passed_ms += 100) {
    world.server_step_ms += 10_000;
    world.run(100);
  }
  assert.deepEqual(told.offsets.slice(first).filter((offset_ms) => offset_ms !== null), []);
  assert.ok(socket.pings.length - pings < 100, `${socket.pings.length - pings} pings`);
  connection.close();
});

test("the server's time can be requested between two pings, but not all the time", () => {
  const { connection, socket } = connect();
  const pings = socket.pings.length;
  world.run(1000);
  for (let i = 0; i < 100; ++i) connection.request_time();
  world.run(1000);
  assert.equal(socket.pings.length - pings, 1);
  connection.close();
});

for (const [counted, how] of SLEEPS) {
  test(`a response over HTTP that comes after a sleep is accepted, if performance.now() ${how}`, async () => {
    const body = { stations: [], ready: true };
    let aborted = false;
    globalThis.fetch = (_path, { signal }) => new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => {
        aborted = true;
        reject(signal.reason);
      });
      world.deliver(200, () => resolve({ ok: true, json: async () => body }));
    });
    const answer = fetch_status();
    world.run(100);
    world.sleep(HOUR_MS, { counted });
    world.run(300);
    assert.deepEqual([await answer, aborted], [{ status: body, found: false, station: null }, false]);
  });
}

test("a response over HTTP that does not come is abandoned", async () => {
  globalThis.fetch = (_path, { signal }) => new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  const answer = fetch_status();
  world.run(6000);
  assert.equal(await answer, null);
});
