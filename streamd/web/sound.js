// SPDX-License-Identifier: MIT
// What comes out of one play: what the audio thread told last, whether it still tells, and the latency. One object a play,
// on the page's thread.
import { Latency, smoothed } from "./latency.js";

const STALE_MS = 1000;                 // a sound card that says nothing for this long is not playing
const BEGIN_LIMIT_MS = 1000;           // a browser that lets sound out has done so by then,
const DEVICE_LIMIT_MS = 3000;          // and a device that takes sound has taken some
const SETTLING_MS = 400;               // from one station to another there is a moment without sound
const NEAR_MS = 1000;                  // a report tells of what is heard now; one from before a suspension does not
const BUFFER_WEIGHT = 0.15;

export class Sound {
  #presence;
  #begun_ms;                           // in attended time
  #told_ms = null;                     // the last report: by performance.now(),
  #told_attended_ms = null;            // and in attended time
  #changed_ms = 0;
  #latency = new Latency();

  playing = false;                     // whether chunks are played,
  sounding = false;                    // and not only silence that stands for missing ones; both as told last
  seq = -1;
  buffer_ms = null;
  underruns = 0;
  gaps = 0;
  skips = 0;

  constructor(presence) {
    this.#presence = presence;
    this.#begun_ms = presence.attended_ms;
  }

  // Smoothed; null while it is not known.
  get latency_ms() {
    return this.#latency.shown_ms;
  }

  // What keeps the output silent, whatever the connection: "interrupted" (the browser has suspended it, or does not let it
  // begin), "no_device" (nothing takes sound), or null.
  obstacle_of(output) {
    const waited_ms = this.#presence.attended_ms - (this.#told_attended_ms ?? this.#begun_ms);
    if (output.closed) return "no_device";
    if (output.suspended) return this.#told_attended_ms !== null || waited_ms > BEGIN_LIMIT_MS ? "interrupted" : null;
    return waited_ms > DEVICE_LIMIT_MS ? "no_device" : null;
  }

  // Whether the audio thread told something just now.
  get fresh() {
    return this.#told_ms !== null && performance.now() - this.#told_ms < STALE_MS;
  }

  // Another station sounds from now on.
  change_station() {
    this.#changed_ms = performance.now();
    this.#latency.reset();
  }

  // The clock is not known any more, sound was suspended, or the page was absent.
  forget_latency() {
    this.#latency.reset();
  }

  // `report`: as worklet.js sends it. Returns whether `sounding` is another.
  follow(report) {
    this.#told_ms = performance.now();
    this.#told_attended_ms = this.#presence.attended_ms;
    this.underruns = report.underruns;
    this.gaps = report.gaps;
    this.skips = report.skips;
    this.buffer_ms = smoothed(this.buffer_ms, report.level_ms, BUFFER_WEIGHT);
    this.playing = report.playing;
    if (report.position) this.seq = report.position.seq;
    const settling = !report.sounding && this.#told_ms - this.#changed_ms < SETTLING_MS;
    if (this.sounding === report.sounding || settling) return false;
    this.sounding = report.sounding;
    return true;
  }

  // The frame that was due then is heard at `heard_ms`, by performance.now(), which the server's clock is so much ahead of.
  // Returns whether that can be; if not, the clock has to be asked again.
  measure(due_ms, heard_ms, offset_ms) {
    if (Math.abs(heard_ms - performance.now()) > NEAR_MS) return true;
    return this.#latency.add(heard_ms + offset_ms - due_ms);
  }

  // Ends a window of measuring. Returns whether it has something to report, once the clock was asked again.
  end_window() {
    return this.#latency.end_window();
  }

  // The clock was asked, and is what it was: the report of the window that ended last, once; else null.
  report() {
    const latency_ms = this.#latency.confirm();
    if (latency_ms === null || !this.playing || !this.fresh) return null;
    return { type: "playback_report", latency_ms: round(latency_ms), buffer_ms: round(Math.max(0, this.buffer_ms)) };
  }
}

function round(ms) {
  return Math.round(ms * 10) / 10;
}
