// SPDX-License-Identifier: MIT
// How the player handles the messages of both codecs, without a browser: resampling, the order of chunks, and switching
// codecs, up to the jitter buffer. Only a browser decodes packets (quality_test.mjs): here a stub returns their audio, when
// the test tells it to.
import assert from "node:assert/strict";
import test from "node:test";

import { subprotocols } from "../../streamd/web/connection.js";
import { Decoder } from "../../streamd/web/decoder.js";
import { decode_binary } from "../../streamd/web/frame.js";
import { JitterBuffer } from "../../streamd/web/jitter_buffer.js";
import { Resampler } from "../../streamd/web/resampler.js";

const OPUS_RATE = 48000;
const LEAD_MS = 8.3125;                // Opus messages begin this long before their chunk is due
const HZ = 110;
const START_MS = 1.7e12;

// The station's sound at a moment, in ms since chunk 0 was due.
const sound = (ms) => 0.5 * Math.sin(2 * Math.PI * HZ * (ms % 10000) / 1000);

function interleaved(array, from_ms, rate, frames, full) {
  const samples = new array(2 * frames);
  for (let i = 0; i < frames; ++i) samples[2 * i] = samples[2 * i + 1] = full * sound(from_ms + i * 1000 / rate);
  return samples;
}

function pcm(seq, rate = 44100, ms = 100) {
  const frames = rate * ms / 1000;
  return {
    seq, due_ms: START_MS + seq * ms, rate, frames, silent: false,
    samples: interleaved(Int16Array, seq * ms, rate, frames, 32768),
  };
}

// `packets`: times, from which StubOpusDecoder makes its audio.
function opus(seq, { begins = false, ms = 100 } = {}) {
  const from_ms = seq * ms - LEAD_MS;
  const packets = Array.from({ length: ms / 20 }, (_, i) => from_ms + 20 * i);
  return { seq, due_ms: START_MS + from_ms, rate: OPUS_RATE, frames: packets.length * 960, silent: false, begins, packets };
}

// In place of an OpusDecoder: returns nothing until release() is called; cannot decode a packet that is null.
class StubOpusDecoder {
  held = [];
  runs = [];                           // packets between two resets

  // `gain`: a codec is never exact.
  constructor({ at_once = true, gain = 1 } = {}) {
    this.at_once = at_once;
    this.gain = gain;
  }

  decode(packets, reset, done) {
    if (reset || this.runs.length === 0) this.runs.push([]);
    this.runs.at(-1).push(...packets);
    const [from_ms] = packets;
    const samples = from_ms === null ? null : interleaved(Float32Array, from_ms, OPUS_RATE, packets.length * 960, this.gain);
    this.held.push(() => done(samples));
    if (this.at_once) this.release();
  }

  release(count = this.held.length) {
    for (const give of this.held.splice(0, count)) give();
  }

  close() {}
}

function decode(messages, { output_rate = 44100, opus_decoder = new StubOpusDecoder() } = {}) {
  const chunks = [];
  const decoder = new Decoder({ output_rate, opus: opus_decoder, on_chunk: (chunk) => chunks.push(chunk) });
  for (const message of messages) decoder.add(message);
  return chunks;
}

// Largest deviation of chunks from the sound due at their time, without the first `ms`.
function worst_error(chunks, ms = 0) {
  let worst = 0;
  for (const { due_ms, rate, frames, samples } of chunks) {
    const full = samples instanceof Int16Array ? 1 / 32768 : 1;
    for (let i = 0; i < frames; ++i) {
      const at_ms = due_ms - START_MS + i * 1000 / rate;
      if (at_ms < chunks[0].due_ms - START_MS + ms) continue;
      worst = Math.max(worst, Math.abs(samples[2 * i] * full - sound(at_ms)));
    }
  }
  return worst;
}

function assert_seamless(chunks) {
  for (let i = 1; i < chunks.length; ++i) {
    const end_ms = chunks[i - 1].due_ms + chunks[i - 1].frames * 1000 / chunks[i - 1].rate;
    assert.ok(Math.abs(chunks[i].due_ms - end_ms) < 0.02, `chunk ${i}: ${chunks[i].due_ms - end_ms} ms apart`);
    assert.ok(!chunks[i].apart);
  }
}

// Asserts that the jitter buffer plays all of it unchanged, except for the ramp at the start.
function assert_played(chunks, output_rate, most_off) {
  const buffer = new JitterBuffer({ output_rate });
  const left = new Float32Array(output_rate / 100);
  for (const [i, chunk] of chunks.entries()) {
    buffer.append(chunk);
    while (i > 0 && buffer.level_ms > 310) {
      buffer.pull(left, new Float32Array(left.length), left.length);
      const end_ms = buffer.position()?.due_ms - START_MS;
      if (Number.isNaN(end_ms) || end_ms < 100) continue;
      left.forEach((sample, at) => {
        const off = Math.abs(sample - sound(end_ms - (left.length - at) * 1000 / output_rate));
        assert.ok(off < most_off, `${off} off at ${end_ms} ms`);
      });
    }
  }
  assert.ok(buffer.position().due_ms - START_MS > chunks.at(-1).due_ms - START_MS - 320);
  assert.deepEqual([buffer.gaps, buffer.underruns, buffer.skips], [0, 0, 0]);
}

for (const [from, to] of [[44100, 48000], [48000, 44100], [44100, 96000]]) {
  test(`${from} Hz becomes ${to} Hz: equal level, in time, and no artefacts above -80 dB`, () => {
    for (const hz of [100, 1000, 5000, 10000, 15000, 18000]) {
      const resampler = new Resampler(from, to);
      const output = [];
      for (let at = 0, frames = 100; at < from; at += frames, frames = from / 50 - frames) {
        const piece = new Float32Array(2 * frames);
        for (let i = 0; i < frames; ++i) piece[2 * i] = Math.sin(2 * Math.PI * hz * (at + i) / from);
        output.push(...resampler.process(piece));
      }
      assert.equal(output.length / 2, to);
      const delay = resampler.delay_ms * to / 1000;
      let expected_power = 0;
      let error_power = 0;
      for (let i = to / 2; i < to; ++i) {
        const expected = Math.sin(2 * Math.PI * hz * (i - delay) / to);
        expected_power += expected ** 2;
        error_power += (output[2 * i] - expected) ** 2;
        assert.equal(output[2 * i + 1], 0);
      }
      const ratio_db = 10 * Math.log10(expected_power / error_power);
      assert.ok(ratio_db > 80, `${hz} Hz: ${ratio_db} dB`);
    }
  });
}

test("PCM at the sound card's rate passes unchanged", () => {
  const message = pcm(7);
  assert.deepEqual(decode([message]), [message]);
  assert.equal(decode([message])[0].samples, message.samples);
});

test("PCM at another rate is resampled, in time", () => {
  const chunks = decode([0, 1, 2, 3].map((seq) => pcm(seq)), { output_rate: 48000 });
  assert.deepEqual(chunks.map(({ seq, rate, frames }) => [seq, rate, frames]), [0, 1, 2, 3].map((seq) => [seq, 48000, 4800]));
  assert_seamless(chunks);
  assert.ok(worst_error(chunks, 5) < 1e-3, `${worst_error(chunks, 5)}`);
});

for (const output_rate of [44100, 48000]) {
  test(`Opus comes at the sound card's rate of ${output_rate} Hz, and is due when its audio is`, () => {
    const chunks = decode([0, 1, 2, 3].map((seq) => opus(seq)), { output_rate });
    assert.deepEqual(chunks.map(({ seq, rate }) => [seq, rate]), [0, 1, 2, 3].map((seq) => [seq, output_rate]));
    assert_seamless(chunks);
    assert.ok(worst_error(chunks, 5) < 1e-3, `${worst_error(chunks, 5)}`);
  });

  test(`from PCM to Opus and back the sound continues to the frame, at ${output_rate} Hz`, () => {
    // The server repeats the previous chunk in the new codec.
    const messages = [pcm(0), pcm(1), pcm(2), opus(2, { begins: true }), opus(3), opus(4), pcm(4), pcm(5)];
    const chunks = decode(messages, { output_rate });
    assert_seamless(chunks);
    // Within half a frame, the resolution of the cut.
    assert.ok(worst_error(chunks, 5) < 0.5 * Math.PI * HZ / output_rate + 1e-3, `${worst_error(chunks, 5)}`);
    const end = chunks.at(-1);
    assert.ok(Math.abs(end.due_ms + end.frames * 1000 / end.rate - START_MS - 600) < 1);

    assert_played(chunks, output_rate, Math.PI * HZ / output_rate);
  });
}

test("the difference between the codecs makes no step where one follows the other", () => {
  // At 225 ms, where PCM ends, the sound is at its crest.
  const messages = [0, 1, 2, 3, 4].map((seq) => pcm(seq, OPUS_RATE, 45));
  messages.push(opus(2, { begins: true }), opus(3));
  const chunks = decode(messages, { output_rate: OPUS_RATE, opus_decoder: new StubOpusDecoder({ gain: 0.8 }) });
  assert_seamless(chunks);
  const [before, after] = chunks.slice(4);
  assert.ok(Math.abs(before.samples.at(-1) / 32768) > 0.4);
  assert.ok(Math.abs(after.samples[0] - before.samples.at(-1) / 32768) < 0.01, `${before.samples.at(-1)} ${after.samples[0]}`);
});

test("if there is a gap between the two codecs, the second fades in from silence", () => {
  const chunks = decode([opus(0), opus(1), pcm(2), pcm(3)]);
  assert.deepEqual(chunks.map(({ seq, apart }) => [seq, apart]), [[0, undefined], [1, undefined], [2, true], [3, undefined]]);
});

test("chunks keep their order while packets are still being decoded", () => {
  const opus_decoder = new StubOpusDecoder({ at_once: false });
  const chunks = [];
  const decoder = new Decoder({ output_rate: OPUS_RATE, opus: opus_decoder, on_chunk: ({ seq }) => chunks.push(seq) });
  for (const message of [opus(0), opus(1), pcm(2, OPUS_RATE), pcm(3, OPUS_RATE)]) decoder.add(message);
  assert.deepEqual(chunks, []);
  opus_decoder.release(1);
  assert.deepEqual(chunks, [0]);
  opus_decoder.release();
  assert.deepEqual(chunks, [0, 1, 2, 3]);
});

test("an Opus decoder that never answers does not block the sound forever", () => {
  const opus_decoder = new StubOpusDecoder({ at_once: false });
  const chunks = [];
  const decoder = new Decoder({ output_rate: 44100, opus: opus_decoder, on_chunk: ({ seq }) => chunks.push(seq) });
  decoder.add(opus(0));
  for (let seq = 1; seq < 100; ++seq) decoder.add(pcm(seq));
  assert.equal(chunks.at(-1), 99);
});

test("a packet that cannot be decoded is dropped, and the rest continues", () => {
  const broken = { ...opus(1), packets: [null] };
  const chunks = decode([opus(0), broken, opus(2)], { output_rate: OPUS_RATE });
  assert.deepEqual(chunks.map(({ seq }) => seq), [0, 2]);
  const buffer = new JitterBuffer({ output_rate: OPUS_RATE });
  for (const chunk of chunks) buffer.append(chunk);
  assert.equal(buffer.gaps, 1);
});

test("an Opus decoder resets when the server says so, when a number is missing, and after PCM; otherwise it continues", () => {
  const opus_decoder = new StubOpusDecoder();
  decode([opus(0), opus(1), opus(2, { begins: true }), opus(3), opus(5), opus(6), pcm(7), opus(8)], { opus_decoder });
  assert.deepEqual(opus_decoder.runs.map((packets) => packets.length / 5), [2, 2, 2, 1]);
});

test("Opus messages of alternately one and two packets are continuous in the jitter buffer", () => {
  const chunks = [];
  // As from chunks of 30 ms.
  for (let seq = 0, from_ms = -LEAD_MS; seq < 20; ++seq) {
    const frames = seq % 2 === 0 ? 960 : 1920;
    const samples = interleaved(Float32Array, from_ms, OPUS_RATE, frames, 1);
    chunks.push({ seq, due_ms: START_MS + from_ms, rate: OPUS_RATE, frames, silent: false, samples });
    from_ms += frames / 48;
  }
  assert_played(chunks, OPUS_RATE, 1e-3);
});

test("a lost message leaves a gap of its own length, whatever the others' lengths", () => {
  const buffer = new JitterBuffer({ output_rate: OPUS_RATE });
  const lengths = [20, 40, 20, 40, 20, 40, 20, 40, 20, 40, 20, 40];
  const append = (seq) => {
    const due_ms = START_MS + lengths.slice(0, seq).reduce((sum, ms) => sum + ms, 0);
    const frames = 48 * lengths[seq];
    buffer.append({ seq, due_ms, rate: OPUS_RATE, frames, silent: false, samples: new Float32Array(2 * frames) });
  };
  for (let seq = 0; seq < 10; ++seq) append(seq);
  buffer.pull(new Float32Array(48), new Float32Array(48), 48);
  const { level_ms } = buffer;
  append(11);                            // 10 had 20 ms
  assert.equal(buffer.gaps, 1);
  assert.ok(Math.abs(buffer.level_ms - level_ms - 60) < 0.1, `${level_ms} -> ${buffer.level_ms}`);
});

test("an Opus message is split into its packets, and a truncated one is refused", () => {
  const bytes = Uint8Array.of(
    0x41, 0x55, 0x52, 0x31, 1, 2, 2, 0, 77, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x96, 0x98, 0, 0, 0, 0, 0, 0x80, 0xbb, 0, 0,
    0x80, 7, 0, 0, 2, 0, 10, 11, 1, 0, 12);
  const { packets, ...header } = decode_binary(bytes.buffer);
  assert.deepEqual(header, { seq: 77, due_ms: 10000, rate: 48000, frames: 1920, silent: false, begins: true });
  assert.deepEqual(packets.map((packet) => [...packet]), [[10, 11], [12]]);
  assert.equal(decode_binary(bytes.buffer.slice(0, bytes.length - 1)), null);
  assert.equal(decode_binary(bytes.buffer.slice(0, bytes.length - 2)), null);
});

test("Opus is offered if it can be decoded, and first to save data", () => {
  const offered = (prefers_opus, can_decode_opus) =>
    subprotocols({ prefers_opus, can_decode_opus }).map((name) => name.split(".")[1]).join(" ");
  assert.equal(offered(false, true), "pcm opus json");
  assert.equal(offered(true, true), "opus pcm json");
  assert.equal(offered(false, false), "pcm json");
  assert.equal(offered(true, false), "pcm json");
});
