// SPDX-License-Identifier: MIT
// State of one play: the audio thread's last report, whether reports still come, and the latency. One object a play, on the
// page's thread.
import { Drift } from "./drift.js";
import { Latency, smoothed } from "./latency.js";

const STALE_MS = 1000;                 // without a report for this long the sound card is not playing
const BEGIN_LIMIT_MS = 1000;           // by then a browser that allows sound has started it,
const DEVICE_LIMIT_MS = 3000;          // and a working device has played some
const SETTLING_MS = 400;               // ignores the short silence between two stations
const NEAR_MS = 1000;                  // a report further from now is from before a suspension
const BUFFER_WEIGHT = 0.15;
const MOST_BUFFER_MS = 60_000;         // what the server accepts in a report (docs/protocol.md, "playback_report"),
const MOST_EVENTS = 1_000_000;         // of each kind,
const MOST_TIME_MS = 86_400_000;       // of a time,
const MOST_DRIFT_PPM = 10_000;         // and of a drift

export class Sound {
  #presence;
  #begun_ms;                           // in attended time
  #reported_ms = null;                     // the last report, by performance.now(),
  #reported_attended_ms = null;            // and in attended time
  #changed_ms = 0;
  #latency = new Latency();
  #drift = new Drift();
  #target_ms = null;                   // that the audio thread wants to have buffered
  #least_buffer_ms = Infinity;         // since the last report
  #pressed_ms = performance.now();     // play
  #startup_ms = null;                  // from then to the first sound, until it is reported
  #counted = { underruns: 0, gaps: 0, skips: 0, listened_ms: 0, silence_ms: 0 };  // up to the last report

  playing = false;                     // whether chunks are played,
  sounding = false;                    // and not only silence in place of missing ones; both as last reported
  seq = -1;
  buffer_ms = null;
  underruns = 0;
  gaps = 0;
  skips = 0;
  listened_ms = 0;
  silence_ms = 0;

  constructor(presence) {
    this.#presence = presence;
    this.#begun_ms = presence.attended_ms;
  }

  // Smoothed; null while unknown.
  get latency_ms() {
    return this.#latency.shown_ms;
  }

  // The obstacle that keeps the output silent, whatever the connection: "interrupted" (the browser has suspended it, or
  // does not start it), "no_device" (no device plays), or null.
  obstacle_of(output) {
    const waited_ms = this.#presence.attended_ms - (this.#reported_attended_ms ?? this.#begun_ms);
    if (output.closed) return "no_device";
    if (output.suspended) return this.#reported_attended_ms !== null || waited_ms > BEGIN_LIMIT_MS ? "interrupted" : null;
    return waited_ms > DEVICE_LIMIT_MS ? "no_device" : null;
  }

  // Whether the audio thread reported recently.
  get fresh() {
    return this.#reported_ms !== null && performance.now() - this.#reported_ms < STALE_MS;
  }

  // Another station plays from now on.
  change_station() {
    this.#changed_ms = performance.now();
    this.#latency.reset();
  }

  // The clock is unknown, sound was suspended, or the page was absent.
  forget_latency() {
    this.#latency.reset();
    this.#drift.reset();
  }

  // `report`: as of Output's on_report(). Returns whether `sounding` has changed.
  apply(report) {
    this.#reported_ms = performance.now();
    this.#reported_attended_ms = this.#presence.attended_ms;
    for (const kind of Object.keys(this.#counted)) this[kind] = report[kind];
    if (this.#pressed_ms !== null && report.sounding) {
      this.#startup_ms = this.#reported_ms - this.#pressed_ms;
      this.#pressed_ms = null;
    }
    this.buffer_ms = smoothed(this.buffer_ms, report.level_ms, BUFFER_WEIGHT);
    this.#target_ms = report.target_ms;
    if (report.playing) this.#least_buffer_ms = Math.min(this.#least_buffer_ms, report.level_ms);
    this.playing = report.playing;
    if (report.position) this.seq = report.position.seq;
    const settling = !report.sounding && this.#reported_ms - this.#changed_ms < SETTLING_MS;
    if (this.sounding === report.sounding || settling) return false;
    this.sounding = report.sounding;
    return true;
  }

  // A frame due at `due_ms` is heard at `heard_ms`, by performance.now(), when the sound card has played `card_ms`; `offset_ms`: the
  // server's clock minus that of performance.now(). Returns whether that is possible; if not, the clock must be measured again.
  measure({ due_ms, heard_ms, card_ms, offset_ms }) {
    if (Math.abs(heard_ms - performance.now()) > NEAR_MS) return true;
    this.#drift.add(card_ms, heard_ms + offset_ms);
    return this.#latency.add(heard_ms + offset_ms - due_ms);
  }

  // Ends a report's window. Returns whether there is something to report once the clock has been confirmed.
  end_window() {
    return this.#latency.end_window();
  }

  // The report of the last window, once; null if there is none, or `output` is silent. Its counts are since the last report. Where the
  // audio thread knows when a frame was due the clock must be confirmed before.
  report(output) {
    const latency_ms = this.#latency.confirm();
    const unknown = latency_ms === null && output.mode !== "element";
    if (unknown || !this.playing || !this.fresh || this.obstacle_of(output) !== null) return null;
    const message = { type: "playback_report", way: output.mode, buffer_ms: possible_buffer(this.buffer_ms) };
    if (latency_ms !== null) message.latency_ms = round(latency_ms);
    if (this.#target_ms !== null) message.target_ms = possible_buffer(this.#target_ms);
    message.least_buffer_ms = possible_buffer(this.#least_buffer_ms);
    this.#least_buffer_ms = Infinity;
    const drift_ppm = this.#drift.ppm;
    if (drift_ppm !== null && Math.abs(drift_ppm) <= MOST_DRIFT_PPM) message.drift_ppm = round(drift_ppm);
    for (const kind of ["underruns", "gaps", "skips"]) message[kind] = Math.min(this.#since_last(kind), MOST_EVENTS);
    message.listened_ms = round(Math.min(this.#since_last("listened_ms"), MOST_TIME_MS));
    message.silence_ms = Math.min(round(this.#since_last("silence_ms")), message.listened_ms);
    if (this.#startup_ms !== null) message.startup_ms = round(Math.min(this.#startup_ms, MOST_TIME_MS));
    this.#startup_ms = null;
    return message;
  }

  #since_last(kind) {
    const risen = this[kind] - this.#counted[kind];
    this.#counted[kind] = this[kind];
    return risen;
  }
}

function possible_buffer(ms) {
  return round(Math.min(Math.max(0, ms), MOST_BUFFER_MS));
}

function round(value) {
  return Math.round(value * 10) / 10;
}
