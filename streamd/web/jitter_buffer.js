// SPDX-License-Identifier: MIT
// The jitter buffer between the socket and the sound card: a ring of stereo samples on the station's timeline, pulled at the
// sound card's pace. It runs on the audio thread (worklet.js), or, if there is none, on the page's (output.js). Neither
// append() nor pull() allocates.
//
// Units: positions are stream frames since construction and only grow; `read` has a fraction, because the sound card's
// clock never equals the server's: the rate of reading is trimmed by up to 0.2 % (3.5 cents) to hold the level.
//
// The *level* (buffered frames) varies by a chunk between two arrivals. Its lowest point protects against gaps, so the
// target refers to that: `target_ms` are still buffered when the next chunk is due to arrive.

const CAPACITY_FRAMES = 1 << 17;       // 2.7 s at 48 kHz; a power of two
const FADE_MS = 5;                     // into and out of silence
const CROSSFADE_MS = 20;               // across a skip
const CHANGE_FADE_MS = 80;             // out of one source, then into the next
const WINDOW_MS = 2000;                // the lowest level is taken over this long
const MAX_LEVEL_MS = 500;              // buffered audio beyond this is dropped
const MAX_EXCESS_MS = 120;             // so is a lowest level this far above the target
const SETTLING_MS = 10000;             // for this long after each start
const SETTLING_WINDOW_MS = 1000;       // the lowest level is taken over a shorter time
const MAX_SETTLING_EXCESS_MS = 40;     // and less excess is tolerated
const MAX_HOLE_MS = 500;               // a longer gap is closed instead of being played as silence
const MAX_REPEAT_MS = 2000;            // chunks repeated after a reconnect are no older
const MAX_RATE_TRIM = 0.002;
const TRIM_TIME_MS = 10000;            // time constant for correcting the level
const TRIM_DEADBAND_MS = 5;
const TARGET_STEP_MS = 40;             // an underrun for late chunks raises the target by this
const MAX_TARGET_MS = 250;
const TARGET_REST_MS = 60000;          // a minute without underruns lowers it by a quarter of a step
const INTERPOLATION_FRAMES = 3;        // frames that the interpolation reads ahead

export class JitterBuffer {
  // `output_rate`: frames a second that pull() delivers. `target_ms`: see above. `lookahead_ms`: how much the owner
  // pulls at once when playing starts.
  constructor({ output_rate, target_ms = 80, lookahead_ms = 0 }) {
    this.output_rate = output_rate;
    this.base_target_ms = target_ms;
    this.lookahead_ms = lookahead_ms;

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
    this.sound_end = 0;                // only silence is buffered after this

    // The state of playing: filling (silent), playing, fading (towards filling).
    this.state = "filling";
    this.gain = 0;
    this.gain_step = 0;
    this.skip_frames = 0;              // of the current skip: its length,
    this.skip_done = 0;                // and how much of its crossfade is done, 0 to 1
    this.changing = false;             // switching to another source: running dry is no underrun

    // The servo that holds the level.
    this.target_ms = target_ms;
    this.ran_late = false;             // late chunks caused the last underrun, not lost ones
    this.rate_trim = 0;
    this.rate_trim_goal = 0;
    this.window_lowest_ms = Infinity;
    this.played_ms = 0;                // since the last start
    this.window_ms = 0;                // elapsed time of the current window
    this.quiet_ms = 0;

    // Counters, since construction.
    this.underruns = 0;                // how often playback ran dry
    this.gaps = 0;                     // chunks that never came, or came as silence
    this.skips = 0;                    // how often buffered audio was dropped
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
      this.ran_late = false;
    }

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

  // Delivers the next `count` frames at the output rate: sound, or silence while the buffer fills.
  pull(left, right, count) {
    if (this.state === "filling") this.#try_start();
    for (let i = 0; i < count; ++i) {
      if (this.state === "filling") {
        left[i] = right[i] = 0;
        continue;
      }
      this.#next_frame(left, right, i);
    }
    if (this.state === "playing") this.#hold_level(count * 1000 / this.output_rate);
  }

  get playing() {
    return this.state === "playing";
  }

  // Playing, and not only silence in place of missing chunks.
  get sounding() {
    return this.playing && this.read < this.sound_end;
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
    this.sound_end = this.write;
  }

  #append_silence(frames) {
    this.#end_sound();
    this.#make_room(frames);
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

  // Arrivals are a chunk apart, and the next may be that far away: three quarters of a chunk above the target leaves room
  // for the worst case, and the servo corrects the rest.
  #try_start() {
    if (!this.stream_rate) return;
    const target_ms = this.ran_late ? Math.min(this.target_ms + TARGET_STEP_MS, MAX_TARGET_MS) : this.target_ms;
    const chunk_ms = this.chunk_frames * 1000 / this.stream_rate;
    const start = this.#frames(target_ms + 0.75 * chunk_ms + this.lookahead_ms);
    if (this.write - this.read < start) return;
    this.read = this.write - start;
    this.target_ms = target_ms;
    this.ran_late = false;
    this.quiet_ms = 0;
    this.state = "playing";
    this.gain = 0;
    this.gain_step = 1 / (this.changing ? this.#frames(CHANGE_FADE_MS) : this.fade_frames);
    this.changing = false;
    this.rate_trim = this.rate_trim_goal = 0;
    this.played_ms = 0;
    this.#start_window();
  }

  #next_frame(left, right, i) {
    const available = this.write - this.read - this.skip_frames - INTERPOLATION_FRAMES;
    const step = this.stream_rate / this.output_rate * (1 + this.rate_trim);
    if (this.state === "playing" && available <= this.fade_frames) {
      this.state = "fading";
      this.gain_step = -this.gain / Math.max(1, Math.floor(available / step));
    }

    let l = this.#interpolate(this.left, this.read);
    let r = this.#interpolate(this.right, this.read);
    if (this.skip_frames > 0) {
      const ahead = this.read + this.skip_frames;
      l += (this.#interpolate(this.left, ahead) - l) * this.skip_done;
      r += (this.#interpolate(this.right, ahead) - r) * this.skip_done;
      this.skip_done += 1000 / (CROSSFADE_MS * this.output_rate);
      if (this.skip_done >= 1) {
        this.read += this.skip_frames;
        this.skip_frames = 0;
      }
    }
    left[i] = l * this.gain;
    right[i] = r * this.gain;

    this.gain = Math.min(1, this.gain + this.gain_step);
    this.read += step;
    if (this.state === "fading" && this.gain <= 0) this.#run_dry();
  }

  // Cubic Hermite through four frames; exactly the sample itself if the position has no fraction.
  #interpolate(ring, position) {
    const mask = CAPACITY_FRAMES - 1;
    const at = Math.floor(position);
    const t = position - at;
    const b = ring[at & mask];
    if (t === 0) return b;
    const a = ring[(at - 1) & mask];
    const c = ring[(at + 1) & mask];
    const d = ring[(at + 2) & mask];
    const c1 = 0.5 * (c - a);
    const c2 = a - 2.5 * b + 2 * c - 0.5 * d;
    const c3 = 0.5 * (d - a) + 1.5 * (b - c);
    return ((c3 * t + c2) * t + c1) * t + b;
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
    this.ran_late = true;
  }

  #hold_level(elapsed_ms) {
    this.rate_trim += (this.rate_trim_goal - this.rate_trim) * Math.min(1, elapsed_ms / 300);
    if (Math.abs(this.rate_trim) < 1e-7) this.rate_trim = 0;

    const level_ms = this.level_ms;
    const chunk_ms = this.chunk_frames * 1000 / this.stream_rate;
    if (level_ms > MAX_LEVEL_MS + chunk_ms) return this.#skip(level_ms - this.target_ms - chunk_ms);

    this.window_lowest_ms = Math.min(this.window_lowest_ms, level_ms);
    this.window_ms += elapsed_ms;
    this.played_ms += elapsed_ms;
    const settling = this.played_ms < SETTLING_MS;
    if (this.window_ms < (settling ? SETTLING_WINDOW_MS : WINDOW_MS)) return;
    this.#rest(this.window_ms);
    const excess_ms = this.window_lowest_ms - this.target_ms;
    if (excess_ms > (settling ? MAX_SETTLING_EXCESS_MS : MAX_EXCESS_MS)) return this.#skip(excess_ms);
    const trim = Math.abs(excess_ms) < TRIM_DEADBAND_MS ? 0 : excess_ms / TRIM_TIME_MS;
    this.rate_trim_goal = Math.max(-MAX_RATE_TRIM, Math.min(MAX_RATE_TRIM, trim));
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

  #rest(elapsed_ms) {
    this.quiet_ms += elapsed_ms;
    if (this.quiet_ms < TARGET_REST_MS) return;
    this.quiet_ms = 0;
    this.target_ms = Math.max(this.base_target_ms, this.target_ms - TARGET_STEP_MS / 4);
  }
}
