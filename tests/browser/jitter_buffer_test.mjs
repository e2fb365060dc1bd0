// SPDX-License-Identifier: MIT
// The player's jitter buffer, without a browser and in simulated time. It does not prove that a browser pulls in time
// (player_test.mjs listens to one).
import assert from "node:assert/strict";
import test from "node:test";

import { JitterBuffer } from "../../streamd/web/jitter_buffer.js";

const RATE = 44100;
const CHUNK = 4410;
const QUANTUM = 128;
const TONE = 2 * Math.PI * 110 / RATE;
// Largest step between two samples of the tone or of a 5 ms ramp; a click is larger.
const SMOOTH = 0.5 * TONE * 1.2 + 0.5 / (0.005 * RATE);

function chunk(seq, extra = {}) {
  const samples = new Int16Array(2 * CHUNK);
  for (let i = 0; i < CHUNK; ++i) {
    samples[2 * i] = samples[2 * i + 1] = Math.round(16384 * Math.sin(TONE * ((seq * CHUNK + i) % (RATE * 10))));
  }
  return { seq, due_ms: 1e12 + seq * 100, rate: RATE, frames: CHUNK, silent: false, samples, ...extra };
}

// A listener whose sound card runs `drift` too fast. `arrivals(seq)`: when a chunk arrives, in ms; Infinity: never.
class Listener {
  constructor({ drift = 0, arrivals = (seq) => seq * 100, output_rate = RATE } = {}) {
    this.buffer = new JitterBuffer({ output_rate });
    this.arrivals = arrivals;
    this.ms_per_quantum = QUANTUM * 1000 / output_rate / (1 + drift);
    this.now_ms = 0;
    this.next = 0;
    this.left = new Float32Array(QUANTUM);
    this.right = new Float32Array(QUANTUM);
    this.last = 0;
    this.largest_step = 0;
    this.peak = 0;
  }

  run(ms) {
    const end_ms = this.now_ms + ms;
    for (; this.now_ms < end_ms; this.now_ms += this.ms_per_quantum) {
      for (; this.arrivals(this.next) <= this.now_ms || this.arrivals(this.next) === Infinity; ++this.next) {
        if (this.arrivals(this.next) !== Infinity) this.buffer.append(chunk(this.next));
      }
      this.buffer.pull(this.left, this.right, QUANTUM);
      for (const sample of this.left) {
        this.largest_step = Math.max(this.largest_step, Math.abs(sample - this.last));
        this.peak = Math.max(this.peak, Math.abs(sample));
        this.last = sample;
      }
    }
    return this;
  }

  // From due time (chunk 0 is due at 0) to leaving the buffer.
  get latency_ms() {
    return this.now_ms - (this.buffer.position().due_ms - 1e12);
  }
}

const TARGET_MS = 2000;
const SETTLED_MS = 300000;             // after this the level is held at its target

// As on connect: ten past chunks at once, then one every 100 ms.
const burst = (seq) => Math.max(0, (seq - 9) * 100);

test("playing starts at once with the past chunks, and without a click", () => {
  const listener = new Listener({ arrivals: burst }).run(1000);
  assert.equal(listener.buffer.playing, true);
  assert.equal(listener.buffer.underruns, 0);
  assert.equal(listener.buffer.gaps, 0);
  assert.ok(listener.peak > 0.49 && listener.peak < 0.51, `peak ${listener.peak}`);
  assert.ok(listener.largest_step < SMOOTH, `step ${listener.largest_step}`);
});

test("audio that arrives on time comes out bit for bit", () => {
  const buffer = new JitterBuffer({ output_rate: RATE });
  for (let seq = 0; seq < 3; ++seq) buffer.append(chunk(seq));
  const left = new Float32Array(CHUNK);
  const right = new Float32Array(CHUNK);
  const from = () => buffer.position().seq * CHUNK + buffer.position().frame;
  buffer.pull(left, right, 512);                     // the ramp at the start
  const at = from();
  buffer.pull(left, right, 1000);
  for (let i = 0; i < 1000; ++i) {
    const seq = Math.floor((at + i) / CHUNK);
    assert.equal(left[i], chunk(seq).samples[2 * ((at + i) % CHUNK)] / 32768);
  }
});

test("a repeated chunk is not played again", () => {
  const buffer = new JitterBuffer({ output_rate: RATE });
  for (const seq of [7, 8, 7, 8, 9]) buffer.append(chunk(seq));
  assert.equal(Math.round(buffer.level_ms), 300);
  assert.equal(buffer.gaps, 0);
});

for (const drift of [-0.0005, 0.0005]) {
  test(`a sound card ${drift * 1e6} ppm off plays for a quarter of an hour without a gap and with steady latency`, () => {
    const jitter = (seq) => burst(seq) + (seq * 7919 % 30);
    const listener = new Listener({ drift, arrivals: jitter }).run(SETTLED_MS);
    const latency_ms = listener.latency_ms;
    listener.run(840000);
    assert.equal(listener.buffer.underruns, 0);
    assert.equal(listener.buffer.skips, 0);
    assert.ok(Math.abs(listener.latency_ms - latency_ms) < 25, `${latency_ms} -> ${listener.latency_ms}`);
    assert.ok(listener.largest_step < SMOOTH, `step ${listener.largest_step}`);
  });
}

test("another output rate is converted, smoothly", () => {
  const listener = new Listener({ arrivals: burst, output_rate: 48000 }).run(20000);
  assert.equal(listener.buffer.underruns, 0);
  assert.ok(listener.largest_step < SMOOTH, `step ${listener.largest_step}`);
});

test("a chunk that never comes is silence, ramped, and the latency stays", () => {
  // Chunks after the lost one arrive earlier, as from a server that has dropped a late one.
  const lost = SETTLED_MS / 100 + 10;
  const arrivals = (seq) => (seq === lost ? Infinity : burst(seq) - (seq > lost ? 60 : 0));
  const listener = new Listener({ arrivals }).run(SETTLED_MS);
  const latency_ms = listener.latency_ms;
  listener.run(3000);
  assert.equal(listener.buffer.gaps, 1);
  assert.ok(Math.abs(listener.latency_ms - latency_ms) < 15, `${latency_ms} -> ${listener.latency_ms}`);
  assert.ok(listener.largest_step < SMOOTH, `step ${listener.largest_step}`);
});

test("a chunk marked as silence counts as a gap and is ramped", () => {
  const buffer = new JitterBuffer({ output_rate: RATE });
  buffer.append(chunk(0));
  buffer.append(chunk(1, { silent: true }));
  assert.equal(buffer.gaps, 1);
  assert.equal(Math.round(buffer.level_ms), 200);
});

test("running dry fades out, counts one underrun, refills and continues", () => {
  const stalled = (seq) => (seq >= 20 && seq < 26 ? 2500 : burst(seq));
  const listener = new Listener({ arrivals: stalled }).run(2400);
  assert.equal(listener.buffer.underruns, 1);
  assert.equal(listener.buffer.playing, false);
  assert.equal(listener.last, 0);
  listener.run(5000);
  assert.equal(listener.buffer.underruns, 1);
  assert.equal(listener.buffer.playing, true);
  assert.equal(listener.buffer.gaps, 0);
  assert.ok(listener.largest_step < SMOOTH, `step ${listener.largest_step}`);
});

test("beyond ten seconds buffered audio is dropped in one crossfade, and not before", () => {
  const listener = new Listener({ arrivals: burst }).run(1000);
  const come = (count) => {
    for (let i = 0; i < count; ++i) listener.buffer.append(chunk(listener.next++));
    const { next: early, now_ms } = listener;
    listener.arrivals = (seq) => now_ms + (seq - early + 1) * 100;
    listener.run(1000);
  };
  come(80);
  assert.equal(listener.buffer.skips, 0);
  come(20);
  assert.equal(listener.buffer.skips, 1);
  assert.equal(listener.buffer.underruns, 0);
  assert.ok(Math.abs(listener.buffer.level_ms - TARGET_MS) < 200, `level ${listener.buffer.level_ms}`);
  // Within the crossfade two positions of the tone add up: a step is at most that of both.
  assert.ok(listener.largest_step < 2 * SMOOTH, `step ${listener.largest_step}`);
});

test("playing begins with what came at once, and fills the buffer while it plays, never by a pause", () => {
  const listener = new Listener({ arrivals: burst }).run(1000);
  const level_ms = listener.buffer.level_ms;
  listener.run(100000);
  // Half a percent slower.
  assert.ok(Math.abs(listener.buffer.level_ms - level_ms - 500) < 110, `${level_ms} -> ${listener.buffer.level_ms}`);
  listener.run(SETTLED_MS);
  assert.ok(Math.abs(listener.buffer.level_ms - TARGET_MS) < 160, `level ${listener.buffer.level_ms}`);
  assert.deepEqual([listener.buffer.underruns, listener.buffer.skips, listener.buffer.silence_ms], [0, 0, 0]);
  assert.ok(listener.largest_step < SMOOTH, `step ${listener.largest_step}`);
});

test("once the buffer is filled samples are played as they came again", () => {
  const { buffer } = new Listener({ arrivals: burst }).run(SETTLED_MS);
  assert.equal(buffer.rate_trim, 0);
  assert.equal(buffer.read, Math.round(buffer.read));
});

test("more is buffered where chunks come later, at once; and less again, slowly", () => {
  const SLOW_MS = 30000;
  const late = (seq) => burst(seq) + (burst(seq) > SLOW_MS && burst(seq) < SLOW_MS + 60000 && seq % 50 === 0 ? 3000 : 0);
  let before = 0;
  const in_order = (seq) => (before = Math.max(late(seq), seq % 50 ? before : 0));
  const listener = new Listener({ arrivals: in_order }).run(SLOW_MS + 20000);
  const { target_ms } = listener.buffer;
  assert.ok(target_ms > 3000 && target_ms < 3400, `target ${target_ms}`);
  // Remembered for five minutes.
  listener.run(300000);
  assert.ok(listener.buffer.target_ms > 3000, `target ${listener.buffer.target_ms}`);
  const was_ms = listener.run(120000).buffer.target_ms;
  listener.run(60000);
  const fell = was_ms - listener.buffer.target_ms;
  assert.ok(listener.buffer.target_ms === TARGET_MS || (fell > 0 && fell <= 0.1 * was_ms), `${was_ms} - ${fell}`);
});

test("while the music is changed little is buffered, by one crossfade, and later as much as before", () => {
  const listener = new Listener({ arrivals: burst }).run(SETTLED_MS);
  const { buffer } = listener;
  buffer.set_near(true);
  listener.run(1000);
  assert.equal(buffer.skips, 1);
  assert.ok(buffer.level_ms > 390 && buffer.level_ms < 610, `level ${buffer.level_ms}`);
  listener.run(20000);
  buffer.set_near(true);
  assert.equal(buffer.skips, 1, "it is near already");
  buffer.set_near(false);
  listener.run(200000);
  assert.ok(Math.abs(buffer.level_ms - TARGET_MS) < 250, `level ${buffer.level_ms}`);
  assert.deepEqual([buffer.underruns, buffer.silence_ms], [0, 0]);
  assert.ok(listener.largest_step < 2 * SMOOTH, `step ${listener.largest_step}`);
});

test("a line on which chunks come late keeps what it needs while the music is changed", () => {
  const jitter = (seq) => burst(seq) + (seq * 7919 % 900);
  let last = 0;
  const listener = new Listener({ arrivals: (seq) => (last = Math.max(last, jitter(seq))) }).run(SETTLED_MS);
  listener.buffer.set_near(true);
  listener.run(60000);
  assert.equal(listener.buffer.underruns, 0);
});

test("silence is measured: running dry, and chunks that came as silence", () => {
  const stalled = (seq) => (seq >= 30 && seq < 60 ? 5100 : burst(seq));
  const listener = new Listener({ arrivals: stalled }).run(8000);
  const dry_ms = listener.buffer.silence_ms;
  assert.ok(dry_ms > 1500 && dry_ms < 2500, `${dry_ms} ms`);

  const buffer = new JitterBuffer({ output_rate: RATE });
  for (let seq = 0; seq < 20; ++seq) buffer.append(chunk(seq, { silent: seq >= 5 && seq < 15 }));
  for (let i = 0; i < 20; ++i) buffer.pull(new Float32Array(CHUNK), new Float32Array(CHUNK), CHUNK);
  assert.ok(Math.abs(buffer.silence_ms - 1000) <= 100, `${buffer.silence_ms} ms`);
});

test("an outage is closed, and playback continues at the live position", () => {
  const arrivals = (seq) => (seq >= 20 && seq < 70 ? Infinity : burst(seq));
  const listener = new Listener({ arrivals }).run(1500);
  const latency_ms = listener.latency_ms;
  listener.run(8000);
  assert.equal(listener.buffer.playing, true);
  assert.equal(listener.buffer.gaps, 50);
  assert.equal(listener.buffer.target_ms, TARGET_MS, "nothing was late: no more is buffered");
  assert.equal(listener.buffer.underruns, 1);
  assert.ok(Math.abs(listener.latency_ms - latency_ms) < 600, `${latency_ms} -> ${listener.latency_ms}`);
  assert.ok(listener.largest_step < SMOOTH, `step ${listener.largest_step}`);
});

test("a new timeline, with lower numbers and later times, is followed", () => {
  const buffer = new JitterBuffer({ output_rate: RATE });
  buffer.append(chunk(1000));
  buffer.append(chunk(3, { due_ms: 1e12 + 200000 }));
  buffer.append(chunk(4, { due_ms: 1e12 + 200100 }));
  assert.equal(Math.round(buffer.level_ms), 300);
  assert.equal(buffer.gaps, 0);
});

for (const step_ms of [3_600_000, -3_600_000]) {
  const set = (seq) => chunk(seq, { due_ms: 1e12 + seq * 100 + step_ms });

  test(`the server's clock set by ${step_ms} ms: repeated chunks are not played again, and new ones are`, () => {
    const buffer = new JitterBuffer({ output_rate: RATE });
    for (const seq of [1000, 1001, 1002]) buffer.append(chunk(seq));
    for (const seq of [1001, 1002, 1003]) buffer.append(set(seq));
    assert.equal(Math.round(buffer.level_ms), 400);
    assert.equal(buffer.gaps, 0);
  });

  test(`a new timeline, with lower numbers, is also followed if the server's clock was set by ${step_ms} ms`, () => {
    const buffer = new JitterBuffer({ output_rate: RATE });
    buffer.append(chunk(1000));
    for (const seq of [3, 4]) buffer.append(chunk(seq, { due_ms: 1e12 + 200_000 + step_ms + seq * 100 }));
    assert.equal(Math.round(buffer.level_ms), 300);
    assert.equal(buffer.gaps, 0);
  });
}

test("silence in place of missing chunks is distinguished from sound", () => {
  const buffer = new JitterBuffer({ output_rate: RATE });
  const left = new Float32Array(CHUNK);
  const play = (seq, extra) => {
    buffer.append(chunk(seq, extra));
    buffer.pull(left, new Float32Array(CHUNK), CHUNK);
    return [buffer.playing, buffer.sounding];
  };
  for (let seq = 0; seq < 3; ++seq) buffer.append(chunk(seq));
  assert.deepEqual(play(3), [true, true]);
  for (let seq = 4; seq < 8; ++seq) play(seq, { silent: true });
  assert.deepEqual(play(8, { silent: true }), [true, false]);
  for (let seq = 9; seq < 12; ++seq) play(seq);
  assert.deepEqual(play(12), [true, true]);
});

test("another station of the same timeline follows at once, without a click, and counts as no fault", () => {
  const listener = new Listener({ arrivals: burst }).run(SETTLED_MS);
  const { buffer } = listener;
  const next = listener.next;
  buffer.change_source();
  assert.equal(buffer.playing, false);
  // As on connect: two earlier numbers, of other music; here of the same, so that only a click makes a step.
  for (const seq of [next - 3, next - 2, next - 1]) buffer.append(chunk(seq));
  listener.run(150);
  assert.equal(buffer.playing, true);
  assert.ok(buffer.position().seq >= next - 3, `seq ${buffer.position().seq}`);
  listener.run(5000);
  assert.deepEqual([buffer.underruns, buffer.gaps], [0, 0]);
  assert.equal(buffer.target_ms, TARGET_MS);
  assert.ok(listener.largest_step < SMOOTH, `step ${listener.largest_step}`);
});

test("nothing of the former station is heard once the next one is", () => {
  const buffer = new JitterBuffer({ output_rate: RATE });
  const left = new Float32Array(CHUNK);
  const right = new Float32Array(CHUNK);
  const silence = new Int16Array(2 * CHUNK);
  for (let seq = 0; seq < 5; ++seq) buffer.append(chunk(seq));
  buffer.pull(left, right, 100);
  buffer.change_source();
  for (let seq = 3; seq < 6; ++seq) buffer.append(chunk(seq, { samples: silence }));
  buffer.pull(left, right, CHUNK);                   // faded out within this
  buffer.pull(left, right, CHUNK);
  assert.equal(buffer.playing, true);
  assert.equal(Math.max(...left, ...right), 0);
});

test("a change with an empty buffer has no effect", () => {
  const buffer = new JitterBuffer({ output_rate: RATE });
  buffer.change_source();
  for (let seq = 0; seq < 3; ++seq) buffer.append(chunk(seq));
  buffer.pull(new Float32Array(441), new Float32Array(441), 441);
  assert.equal(buffer.playing, true);
  assert.deepEqual([buffer.underruns, buffer.gaps], [0, 0]);
});

test("the position names the chunk and its due time", () => {
  const buffer = new JitterBuffer({ output_rate: RATE });
  assert.equal(buffer.position(), null);
  for (let seq = 5; seq < 8; ++seq) buffer.append(chunk(seq));
  buffer.pull(new Float32Array(441), new Float32Array(441), 441);
  const { seq, frame, due_ms } = buffer.position();
  // 10 ms are played.
  assert.equal(seq, 5);
  assert.equal(frame, 441);
  assert.ok(Math.abs(due_ms - (1e12 + 510)) < 0.1, `due ${due_ms - 1e12}`);
});

for (const suspended_s of [3, 30]) {
  test(`chunks that came in ${suspended_s} s without sound output are not taken for late ones`, () => {
    const listener = new Listener({ arrivals: burst }).run(60000);
    for (let i = 0; i < suspended_s * 10; ++i) listener.buffer.append(chunk(listener.next++));
    const { next: early, now_ms } = listener;
    listener.arrivals = (seq) => now_ms + (seq - early + 1) * 100;
    listener.run(60000);
    assert.equal(listener.buffer.target_ms, TARGET_MS);
    assert.equal(listener.buffer.underruns, 0);
  });
}

test("without pulls for long the oldest audio is dropped and nothing breaks", () => {
  const listener = new Listener({ arrivals: burst }).run(1000);
  for (let i = 0; i < 200; ++i) listener.buffer.append(chunk(listener.next++));
  listener.arrivals = () => 1e9;
  listener.run(200);
  assert.ok(listener.buffer.level_ms < TARGET_MS + 200, `level ${listener.buffer.level_ms}`);
});
