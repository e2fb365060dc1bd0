// SPDX-License-Identifier: MIT
// Turns a connection's messages, PCM and Opus, into chunks at the sound card's rate, in the same order. If the server switches
// codecs, drops the part of the new codec's audio that the old one already covered, so that the music continues seamlessly.
import { Resampler } from "./resampler.js";

const MAX_WAITING = 50;                // messages; beyond that the Opus decoder is not waited for
const MAX_OVERLAP_MS = 1000;           // a larger overlap means another clock
const SMOOTHING_MS = 5;                // fades out the remaining step between codecs

export class Decoder {
  #output_rate;
  #opus;
  #on_chunk;
  #on_codec;
  #queue = [];                         // { message, samples, done }, oldest first
  #newest = null;                      // { seq, opus } of the newest message added,
  #resampled = null;                   // state of the resampler: { rate, resampler, seq, opus }
  #codec = null;                       // of the newest message passed on or dropped,
  #joining = false;                    // and whether none of its audio was passed on yet;
  #end_ms = 0;                         // end of the audio passed on,
  #last = [0, 0];                      // and its last frame

  // `opus`: an OpusDecoder. `on_chunk(chunk)`: as jitter_buffer.js expects it. `on_codec(codec)`: "pcm" or "opus", when it
  // changes.
  constructor({ output_rate, opus, on_chunk, on_codec = () => {} }) {
    this.#output_rate = output_rate;
    this.#opus = opus;
    this.#on_chunk = on_chunk;
    this.#on_codec = on_codec;
  }

  // Adds a message as decoded by frame.js.
  add(message) {
    const entry = { message, samples: message.samples ?? null, done: !message.packets };
    this.#queue.push(entry);
    const { seq, packets } = message;
    if (packets) {
      const follows = this.#newest?.opus && seq === this.#newest.seq + 1;
      this.#opus.decode(packets, message.begins || !follows, (samples) => {
        entry.samples = samples;
        entry.done = true;
        this.#hand_on();
      });
    }
    this.#newest = { seq, opus: packets !== undefined };
    if (this.#queue.length > MAX_WAITING) this.#queue[0].done = true;
    this.#hand_on();
  }

  close() {
    this.#opus.close();
    this.#queue = [];
  }

  #hand_on() {
    while (this.#queue[0]?.done) {
      const { message, samples } = this.#queue.shift();
      if (samples) this.#join(this.#chunk_of(message, samples), message.packets ? "opus" : "pcm");
    }
  }

  #chunk_of(message, samples) {
    const { seq, rate, silent } = message;
    // A decoder may omit frames at its beginning.
    const left_out_ms = (message.frames - samples.length / 2) * 1000 / rate;
    const chunk = { seq, due_ms: message.due_ms + left_out_ms, rate, frames: samples.length / 2, silent, samples };
    return rate === this.#output_rate ? chunk : this.#resample(chunk, message);
  }

  #resample(chunk, { packets, begins }) {
    const opus = packets !== undefined;
    if (this.#resampled?.rate !== chunk.rate) {
      this.#resampled = { rate: chunk.rate, resampler: new Resampler(chunk.rate, this.#output_rate) };
    } else if (begins || opus !== this.#resampled.opus || chunk.seq !== this.#resampled.seq + 1) {
      this.#resampled.resampler.reset();
    }
    Object.assign(this.#resampled, { seq: chunk.seq, opus });
    const samples = this.#resampled.resampler.process(chunk.samples);
    const due_ms = chunk.due_ms - this.#resampled.resampler.delay_ms;
    return { ...chunk, due_ms, rate: this.#output_rate, frames: samples.length / 2, samples };
  }

  #join(chunk, codec) {
    if (codec !== this.#codec) {
      this.#joining = this.#codec !== null;
      this.#codec = codec;
      this.#on_codec(codec);
    }
    if (this.#joining) {
      const overlap = Math.round((this.#end_ms - chunk.due_ms) * chunk.rate / 1000);
      const near = Math.abs(this.#end_ms - chunk.due_ms) < MAX_OVERLAP_MS;
      if (near && overlap >= chunk.frames) return;
      if (near && overlap > 0) this.#cut(chunk, overlap);
      // There is a gap between the two: this one fades in from silence.
      else chunk.apart = overlap !== 0;
      this.#joining = false;
    }
    this.#end_ms = chunk.due_ms + chunk.frames * 1000 / chunk.rate;
    this.#last = chunk.silent ? [0, 0] : [...chunk.samples.slice(-2)].map((sample) => sample * scale_of(chunk));
    this.#on_chunk(chunk);
  }

  // Drops the first frames, and starts at the level where the previous chunk ended.
  #cut(chunk, frames) {
    const scale = scale_of(chunk);
    const step = this.#last.map((last, channel) => last - chunk.samples[2 * (frames - 1) + channel] * scale);
    const samples = Float32Array.from(chunk.samples.subarray(2 * frames), (sample) => sample * scale);
    const smoothed = Math.min(samples.length / 2, SMOOTHING_MS * chunk.rate / 1000);
    for (let i = 0; i < smoothed; ++i) {
      samples[2 * i] += step[0] * (1 - i / smoothed);
      samples[2 * i + 1] += step[1] * (1 - i / smoothed);
    }
    chunk.samples = samples;
    chunk.frames -= frames;
    chunk.due_ms += frames * 1000 / chunk.rate;
  }
}

function scale_of({ samples }) {
  return samples instanceof Int16Array ? 1 / 32768 : 1;
}
