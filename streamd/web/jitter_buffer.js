// SPDX-License-Identifier: MIT
// The jitter buffer between the socket and the sound card: a ring of stereo samples on the station's timeline, pulled at the
// sound card's pace. It runs on the audio thread (worklet.js). Neither append() nor pull() allocates.
//
// Units: positions are stream frames since construction and only grow; `read` has a fraction while the rate of reading is
// trimmed, because the sound card's clock never equals the server's, or to fill the buffer while it plays.
//
// The *level* (buffered frames) varies by a chunk between two arrivals. Its lowest point protects against gaps, so the
// target refers to that: `target_ms` are still buffered when the next chunk arrives on time. The player is in no hurry: the
// target is what any line needs for minor troubles, or more where chunks were seen to come later. Only while a listener
// changes the music it is low, so that changes are heard soon.

import { interpolate, INTERPOLATION_FRAMES } from "./interpolate.js";
import { Lateness } from "./lateness.js";
import { Silences } from "./silences.js";

const CAPACITY_FRAMES = 1 << 19;       // 10.9 s at 48 kHz; a power of two
const FADE_MS = 5;                     // into and out of silence
const CROSSFADE_MS = 80;               // across a skip
const CHANGE_FADE_MS = 80;             // out of one source, then into the next
const START_MS = 250;                  // buffered when playing starts; the rest is filled while it plays
const RESTART_MS = 500;                // when it starts again after it ran dry
const TARGET_MS = 2000;
const NEAR_TARGET_MS = 400;            // while the music is being changed
const MAX_TARGET_MS = 8000;
const MARGIN_MS = 150;                 // kept above the lateness that was seen
const SHRINKING = 0.1;                 // by this part in a minute, at most, the target falls
const RETURN_MS = 180000;              // from the near target to the usual one
const MAX_LEVEL_MS = 10000;            // buffered audio beyond this is dropped
const WINDOW_MS = 2000;                // the lowest level is taken over this long
const MAX_HOLE_MS = 500;               // a longer gap is closed instead of being played as silence
const MAX_REPEAT_MS = 2000;            // chunks repeated after a reconnect are no older
const MAX_RATE_TRIM = 0.005;           // 9 cents
const RETURN_RATE_TRIM = 0.009;        // on the way back from the near target
const LEAST_RATE_TRIM = 0.0002;        // until a frame is met exactly again, whereupon samples are played as they came
const TRIM_TIME_MS = 30000;            // time constant for correcting the level
const TRIM_FROM_MS = 60;               // deviation at which correcting it begins,
const TRIM_UNTIL_MS = 10;              // and ends

export class JitterBuffer {
  // `output_rate`: frames a second that pull() delivers.
  constructor({ output_rate }) {
    this.output_rate = output_rate;

    this.left = new Float32Array(CAPACITY_FRAMES);
    this.right = new Float32Array(CAPACITY_FRAMES);
    this.read = 0;
    this.write = 0;

    // The stream: its rate, and the newest chunk, which maps positions to the timeline.
    this.stream_rate = 0;
    this.fade_frames = 0;
    this.chunk_frames = 0;
    this.newest_seq = -1;
    this.newest_due_ms = 0;
    this.newest_start = 0;             // position of its first frame
    this.segment_start = 0;            // earlier positions belong to an earlier part of the timeline
    this.ends_in_sound = false;
    this.silences = new Silences();

    // The state of playing: filling (silent), playing, fading (towards filling).
    this.state = "filling";
    this.gain = 0;
    this.gain_step = 0;
    this.skip_frames = 0;              // of the current skip: its length,
    this.skip_done = 0;                // and how much of its crossfade is done, 0 to 1
    this.changing = false;             // switching to another source: running dry is no underrun

    // The servo that holds the level.
    this.target_ms = TARGET_MS;
    this.base_ms = TARGET_MS;          // below which the target does not fall
    this.near = false;                 // whether the music is being changed
    this.lateness = new Lateness();
    this.clock_ms = 0;                 // by the sound card: what was pulled
    this.correcting = false;
    this.rate_trim = 0;
    this.rate_trim_goal = 0;
    this.window_lowest_ms = Infinity;
    this.window_ms = 0;                // elapsed time of the current window

    // Counters, since construction.
    this.underruns = 0;                // how often playback ran dry
    this.gaps = 0;                     // chunks that never came, or came as silence
    this.skips = 0;                    // how often buffered audio was dropped
    this.listened_ms = 0;              // output since playing first started,
    this.silence_ms = 0;               // and of that silence: fills after running dry, and missing chunks
    this.started = false;
  }

  // Appends a chunk { seq, due_ms, rate, frames, silent, samples }, with samples as interleaved stereo, 16 bit or floats.
  // Chunks may differ in length, and the rest of one may come later with the same number. A chunk that is already present
  // (a reconnect repeats some) is dropped; one with `apart` set does not follow the previous one exactly.
  append(chunk) {
    if (chunk.frames <= 0 || chunk.frames * 2 > CAPACITY_FRAMES) return;
    const first = this.newest_seq < 0;
    if (!first && chunk.seq <= this.newest_seq && this.#comes_again(chunk)) return;

    const older = chunk.seq < this.newest_seq;
    const missing = Math.max(0, chunk.seq - this.newest_seq - 1);
    if (!first && !older) this.gaps += missing;
    const hole = missing > 0 && !first && !older ? this.#hole_frames(chunk, missing) : 0;
    // An older number that is not a repetition is a new timeline: the station was created again.
    const same_stretch = !first && !older && !chunk.apart && chunk.rate === this.stream_rate &&
        (missing === 0 || (this.state === "playing" && hole <= this.#frames(MAX_HOLE_MS)));

    if (same_stretch) {
      if (hole > 0) this.#append_silence(hole);
      this.chunk_frames = Math.max(this.chunk_frames, chunk.frames);
    } else {
      this.#end_sound();
      this.stream_rate = chunk.rate;
      this.fade_frames = this.#frames(FADE_MS);
      this.chunk_frames = chunk.frames;
      this.segment_start = this.write;
      if (older) this.lateness.clear();
    }

    this.lateness.add(this.clock_ms, chunk.due_ms);
    this.newest_seq = chunk.seq;
    this.newest_due_ms = chunk.due_ms;
    this.newest_start = this.write;
    if (chunk.silent) {
      this.gaps += 1;
      this.#append_silence(chunk.frames);
    } else {
      this.#append_sound(chunk.samples, chunk.frames);
    }
  }

  // Switches to another station, whose chunks may have the same numbers: fades out and drops the buffered audio of the
  // former one.
  change_source() {
    this.newest_seq = -1;
    this.newest_due_ms = 0;
    this.segment_start = this.write;
    this.ends_in_sound = false;
    this.lateness.clear();
    if (this.state === "filling") {
      this.read = this.write;
      return;
    }
    const left = this.write - this.read - this.skip_frames - INTERPOLATION_FRAMES;
    const frames = Math.max(1, Math.min(this.#frames(CHANGE_FADE_MS), left)) * this.output_rate / this.stream_rate;
    this.state = "fading";
    this.changing = true;
    this.gain_step = -this.gain / Math.max(1, Math.floor(frames));
  }

  // The listener begins or ends changing the music: what is buffered beyond the near target is skipped at once, and
  // filled again within some minutes.
  set_near(near) {
    this.near = near;
    if (!near) return;
    this.base_ms = NEAR_TARGET_MS;
    this.target_ms = this.#wanted_ms();
    const excess_ms = this.level_ms - this.#chunk_ms - this.target_ms;
    if (this.state === "playing" && excess_ms > this.#chunk_ms) this.#skip(excess_ms);
  }

  // Delivers the next `count` frames at the output rate: sound, or silence while the buffer fills.
  pull(left, right, count) {
    const elapsed_ms = count * 1000 / this.output_rate;
    this.clock_ms += elapsed_ms;
    if (this.state === "filling") this.#try_start();
    for (let i = 0; i < count; ++i) {
      if (this.state === "filling") {
        left[i] = right[i] = 0;
        continue;
      }
      this.#next_frame(left, right, i);
    }
    if (this.started) this.listened_ms += elapsed_ms;
    if (this.started && !this.sounding && !this.changing) this.silence_ms += elapsed_ms;
    this.#set_target(elapsed_ms);
    if (this.state === "playing") this.#hold_level(elapsed_ms);
  }

  get playing() { return this.state === "playing"; }

  // Playing, and not silence in place of missing chunks.
  get sounding() {
    return this.playing && !this.silences.include(this.read);
  }

  get level_ms() {
    return this.stream_rate ? (this.write - this.read) * 1000 / this.stream_rate : 0;
  }

  // Position of the next pulled frame on the timeline: { seq, frame, due_ms }; null while unknown.
  position() {
    if (this.state !== "playing" || this.read < this.segment_start) return null;
    const offset = this.read - this.newest_start;
    const chunks = Math.floor(offset / this.chunk_frames);
    return {
      seq: this.newest_seq + chunks,
      frame: Math.floor(offset - chunks * this.chunk_frames),
      due_ms: this.newest_due_ms + offset * 1000 / this.stream_rate,
    };
  }

  get #chunk_ms() {
    return this.stream_rate ? this.chunk_frames * 1000 / this.stream_rate : 0;
  }

  // State and counters, for the page.
  report() {
    const { level_ms, target_ms, playing, sounding, underruns, gaps, skips, listened_ms, silence_ms } = this;
    return { position: this.position(), level_ms, target_ms, playing, sounding, underruns, gaps, skips, listened_ms, silence_ms };
  }

  #frames(ms) {
    return Math.round(ms * this.stream_rate / 1000);
  }

  // Detects a repetition by number and due time, or by the number alone if the server's clock was set meanwhile.
  #comes_again({ seq, due_ms, rate, frames }) {
    const older_ms = this.newest_due_ms - due_ms;
    const near = (this.newest_seq - seq) * frames * 1000 / rate < MAX_REPEAT_MS;
    if (near) return older_ms >= 0 || older_ms < -MAX_REPEAT_MS;
    return older_ms >= 0 && older_ms < MAX_REPEAT_MS;
  }

  // Length of the gap between the newest chunk and this one. Due times are useless if the server's clock was set meanwhile.
  #hole_frames(chunk, missing) {
    const written = (this.write - this.newest_start) * 1000 / this.stream_rate;
    const frames = this.#frames(chunk.due_ms - this.newest_due_ms - written);
    const most = (missing + 1) * this.chunk_frames;
    return frames >= 0 && frames <= most ? frames : missing * chunk.frames;
  }

  #append_sound(samples, frames) {
    this.#make_room(frames);
    const fade = this.ends_in_sound ? 0 : Math.min(this.fade_frames, frames);
    const mask = CAPACITY_FRAMES - 1;
    const full = samples instanceof Int16Array ? 1 / 32768 : 1;
    let at = this.write;
    for (let i = 0; i < frames; ++i, ++at) {
      const scale = i < fade ? i / fade * full : full;
      this.left[at & mask] = samples[2 * i] * scale;
      this.right[at & mask] = samples[2 * i + 1] * scale;
    }
    this.write += frames;
    this.ends_in_sound = true;
  }

  #append_silence(frames) {
    this.#end_sound();
    this.#make_room(frames);
    this.silences.add(this.write, this.write + frames);
    const mask = CAPACITY_FRAMES - 1;
    for (let at = this.write; at < this.write + frames; ++at) this.left[at & mask] = this.right[at & mask] = 0;
    this.write += frames;
  }

  // Fades out the end of the buffered audio, so that silence, or another part of the timeline, follows without a click.
  #end_sound() {
    if (!this.ends_in_sound) return;
    this.ends_in_sound = false;
    const from = Math.max(this.write - this.fade_frames, Math.floor(this.read) + INTERPOLATION_FRAMES);
    const mask = CAPACITY_FRAMES - 1;
    for (let at = from; at < this.write; ++at) {
      const scale = (this.write - 1 - at) / (this.write - from);
      this.left[at & mask] *= scale;
      this.right[at & mask] *= scale;
    }
  }

  // Drops the oldest audio: while the browser has suspended the output there are no pulls.
  #make_room(frames) {
    const oldest = this.write + frames - CAPACITY_FRAMES + INTERPOLATION_FRAMES;
    if (this.read < oldest) this.read = oldest;
  }

  // Playing starts with what came at once, and fills the rest while it plays. Arrivals are a chunk apart, so there are at
  // least two.
  #try_start() {
    if (!this.stream_rate) return;
    const least_ms = this.started && !this.changing ? RESTART_MS : START_MS;
    const start = this.#frames(Math.max(least_ms, 1.75 * this.#chunk_ms));
    if (this.write - this.read < start) return;
    this.read = Math.floor(this.read);
    // Output that the browser starts late has collected more than is wanted.
    const most = this.#frames(this.target_ms + this.#chunk_ms);
    if (!this.started || this.changing) this.read = Math.max(this.read, this.write - most);
    this.state = "playing";
    this.started = true;
    this.gain = 0;
    this.gain_step = 1 / (this.changing ? this.#frames(CHANGE_FADE_MS) : this.fade_frames);
    this.changing = false;
    this.correcting = false;
    this.rate_trim = this.rate_trim_goal = 0;
    this.#start_window();
  }

  #next_frame(left, right, i) {
    const available = this.write - this.read - this.skip_frames - INTERPOLATION_FRAMES;
    const step = this.stream_rate / this.output_rate * (1 + this.rate_trim);
    if (this.state === "playing" && available <= this.fade_frames) {
      this.state = "fading";
      this.gain_step = -this.gain / Math.max(1, Math.floor(available / step));
    }

    let l = interpolate(this.left, this.read);
    let r = interpolate(this.right, this.read);
    if (this.skip_frames > 0) {
      const ahead = this.read + this.skip_frames;
      l += (interpolate(this.left, ahead) - l) * this.skip_done;
      r += (interpolate(this.right, ahead) - r) * this.skip_done;
      this.skip_done += 1000 / (CROSSFADE_MS * this.output_rate);
      if (this.skip_done >= 1) {
        this.read += this.skip_frames;
        this.skip_frames = 0;
      }
    }
    left[i] = l * this.gain;
    right[i] = r * this.gain;

    this.gain = Math.min(1, this.gain + this.gain_step);
    const before = this.read;
    this.read += step;
    if (this.rate_trim_goal === 0 && this.rate_trim !== 0) this.#meet_frame(before);
    if (this.state === "fading" && this.gain <= 0) this.#run_dry();
  }

  // Ends the trim where a frame is met: from there on samples are played as they came.
  #meet_frame(before) {
    if (Math.abs(this.rate_trim) > LEAST_RATE_TRIM || this.stream_rate !== this.output_rate) return;
    const nearest = Math.round(this.read);
    const passed = (before - nearest + 1) * (this.read - nearest) <= 0;
    if (!passed) return;
    this.read = nearest;
    this.rate_trim = 0;
  }

  #run_dry() {
    this.state = "filling";
    this.gain = 0;
    this.read += this.skip_frames;
    this.skip_frames = 0;
    if (this.changing) {
      this.read = Math.max(this.read, this.segment_start);
      return;
    }
    this.underruns += 1;
  }

  // What the line needs, by the lateness that was seen.
  #wanted_ms() {
    return Math.min(Math.max(this.base_ms, this.lateness.most_ms + MARGIN_MS), MAX_TARGET_MS);
  }

  // Grows at once, and falls slowly.
  #set_target(elapsed_ms) {
    if (!this.near && this.base_ms < TARGET_MS) {
      this.base_ms = Math.min(TARGET_MS, this.base_ms + (TARGET_MS - NEAR_TARGET_MS) * elapsed_ms / RETURN_MS);
    }
    const fallen_ms = this.target_ms * (1 - SHRINKING * elapsed_ms / 60000);
    this.target_ms = Math.max(this.#wanted_ms(), Math.min(this.target_ms, fallen_ms));
  }

  #hold_level(elapsed_ms) {
    this.rate_trim += (this.rate_trim_goal - this.rate_trim) * Math.min(1, elapsed_ms / 300);
    if (this.rate_trim_goal === 0 && this.rate_trim !== 0 && Math.abs(this.rate_trim) < LEAST_RATE_TRIM) {
      this.rate_trim = Math.sign(this.rate_trim) * LEAST_RATE_TRIM;
    }

    const level_ms = this.level_ms;
    if (level_ms > MAX_LEVEL_MS + this.#chunk_ms) return this.#skip(level_ms - this.target_ms - this.#chunk_ms);

    this.window_lowest_ms = Math.min(this.window_lowest_ms, level_ms);
    this.window_ms += elapsed_ms;
    if (this.window_ms < WINDOW_MS) return;
    const excess_ms = this.window_lowest_ms - this.target_ms;
    this.correcting = Math.abs(excess_ms) >= (this.correcting ? TRIM_UNTIL_MS : TRIM_FROM_MS);
    const slowest = this.base_ms < TARGET_MS && !this.near ? RETURN_RATE_TRIM : MAX_RATE_TRIM;
    const trim = Math.max(-slowest, Math.min(MAX_RATE_TRIM, excess_ms / TRIM_TIME_MS));
    this.rate_trim_goal = this.correcting ? trim : 0;
    this.#start_window();
  }

  #start_window() {
    this.window_lowest_ms = Infinity;
    this.window_ms = 0;
  }

  #skip(ms) {
    this.#start_window();
    if (this.skip_frames > 0) return;
    this.skip_frames = this.#frames(ms);
    this.skip_done = 0;
    this.skips += 1;
  }
}
