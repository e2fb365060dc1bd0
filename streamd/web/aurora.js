// SPDX-License-Identifier: MIT
// The scene behind the page: light that follows the sound, in the place's colours and the hour's. A thread of its own paints it
// (aurora_thread.js), where the browser lets one; else the page. It stands still if the listener prefers reduced motion.
import { AURORA_THREAD, THREADS } from "./addresses.js";
import { AuroraMotion } from "./aurora_motion.js";
import { BANDS, STRIPS } from "./aurora_painter.js";
import { daylight_at } from "./daylight.js";

const LOOK_MS = 400;                   // how often the sound is looked at
const PAGE_STEP_MS = 100;              // between two strips that the page itself paints
const HOUR_MS = 600_000;               // how often the hour is looked at
const QUIET_DB = -85;                  // a band at this level is dark;
const LOUD_DB = -30;                   // at this one, full
const LIGHT_STRENGTH = 0.55;           // on a light page
const FIRST_HUE = 200;                 // before anything is known of what plays

const still = matchMedia("(prefers-reduced-motion: reduce)");
const light = matchMedia("(prefers-color-scheme: light)");

export class Aurora {
  #box;
  #glow;
  #hue = FIRST_HUE;
  #motion;                             // on this thread,
  #thread = null;                      // or on a worker
  #analyser = null;
  #bins = null;
  #timer = 0;

  // `box`: the element that holds the scene. `glow`: one whose style property --level follows the loudness, 0 to 1.
  constructor(box, glow) {
    this.#box = box;
    this.#glow = glow;
    this.#motion = new AuroraMotion(add_strips(box).map((canvas) => canvas.getContext("2d")), this.#colours, PAGE_STEP_MS);
    this.#show_hour();
    setInterval(() => this.#show_hour(), HOUR_MS);
    light.addEventListener("change", () => this.#show_hour());
    document.addEventListener("visibilitychange", () => this.#move());
  }

  // Of the place that plays, in degrees.
  set hue(hue) {
    if (hue === this.#hue) return;
    this.#hue = hue;
    document.body.style.setProperty("--hue", hue);
    this.#show_colours();
  }

  start(analyser) {
    this.#analyser = analyser;
    this.#bins = new Float32Array(analyser.frequencyBinCount);
    if (still.matches) return;
    if (!this.#thread) this.#begin_thread();
    this.#timer ||= setInterval(() => this.#look(), LOOK_MS);
    this.#move();
  }

  // Lets the light fade, then stands still.
  stop() {
    this.#analyser = null;
    this.#timer = clearInterval(this.#timer);
    this.#follow(BANDS.map(() => 0));
    this.#move();
  }

  get #colours() {
    return { hue: this.#hue, warmth: daylight_at(new Date()).warmth, strength: light.matches ? LIGHT_STRENGTH : 1 };
  }

  #show_hour() {
    const { warmth, day } = daylight_at(new Date());
    document.body.style.setProperty("--warmth", warmth.toFixed(2));
    document.body.style.setProperty("--day", day.toFixed(2));
    this.#show_colours();
  }

  #show_colours() {
    this.#tell({ colours: this.#colours });
  }

  // What AuroraMotion.take() takes, on whichever thread it is.
  #tell(message) {
    if (this.#thread) this.#thread.postMessage(message);
    else this.#motion.take(message);
  }

  // New strips take the old ones' place once they have a picture. Where there is no thread, the page goes on painting.
  #begin_thread() {
    if (!("transferControlToOffscreen" in HTMLCanvasElement.prototype)) return;
    let thread;
    try {
      thread = new Worker(THREADS, { name: AURORA_THREAD });
    } catch {
      return;
    }
    const before = [...this.#box.children];
    const strips = add_strips(this.#box);
    const canvases = strips.map((canvas) => canvas.transferControlToOffscreen());
    this.#thread = thread;
    thread.onmessage = () => before.forEach((canvas) => canvas.remove());
    thread.onerror = () => {
      if (!before[0].isConnected) return;
      strips.forEach((canvas) => canvas.remove());
      this.#thread = null;
      this.#move();
    };
    thread.postMessage({ canvases, colours: this.#colours }, canvases);
  }

  #move() {
    const { hidden } = document;
    this.#tell({ moving: this.#analyser !== null && !still.matches && !hidden, hidden });
  }

  #look() {
    if (document.hidden) return;
    this.#analyser.getFloatFrequencyData(this.#bins);
    this.#follow(BANDS.map((band) => this.#level_of(band)));
  }

  #follow(levels) {
    this.#tell({ levels });
    this.#glow.style.setProperty("--level", Math.max(...levels).toFixed(2));
  }

  #level_of({ from_hz, to_hz }) {
    const hz_per_bin = this.#analyser.context.sampleRate / this.#analyser.fftSize;
    let peak_db = QUIET_DB;
    for (let bin = Math.floor(from_hz / hz_per_bin); bin * hz_per_bin < to_hz; ++bin) peak_db = Math.max(peak_db, this.#bins[bin]);
    return Math.min(1, (peak_db - QUIET_DB) / (LOUD_DB - QUIET_DB));
  }
}

function add_strips(box) {
  return Array.from({ length: STRIPS }, (_, i) => {
    const canvas = document.createElement("canvas");
    canvas.style.left = `${i * 100 / STRIPS}%`;
    canvas.style.width = `${100 / STRIPS}%`;
    box.append(canvas);
    return canvas;
  });
}
