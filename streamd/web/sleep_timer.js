// SPDX-License-Identifier: MIT
// The sleep timer: the music fades over the last minute, and stops. It is remembered until its end, also over a reload.
import { keep, kept } from "./storage.js";
import { text } from "./strings.js";

const MINUTE_MS = 60000;
const FADE_MS = 60000;
const STEP_MS = 1000;

export class SleepTimer {
  #select;
  #left;
  #handlers;
  #end_ms = null;                      // by wall time
  #timer = 0;
  #gain = 1;

  // `left`: the element for the minutes that are left. `handlers`: on_gain(gain), from 1 to 0 in the last minute; on_end().
  constructor(select, left, handlers) {
    this.#select = select;
    this.#left = left;
    this.#handlers = handlers;
    select.addEventListener("change", () => this.#set(select.value));
  }

  // Goes on with the timer of before a reload; calls the handlers.
  restore() {
    const before = kept("sleep");
    if (!(before?.end_ms > Date.now())) return;
    this.#select.value = before.choice;
    this.#begin(before.end_ms);
  }

  // By which the volume is multiplied.
  get gain() {
    return this.#gain;
  }

  #set(choice) {
    if (choice === "") return this.#end();
    const now_ms = Date.now();
    const end_ms = choice === "hour" ? next_hour_ms(now_ms) : now_ms + Number(choice) * MINUTE_MS;
    keep("sleep", { choice, end_ms });
    this.#begin(end_ms);
  }

  #begin(end_ms) {
    this.#end_ms = end_ms;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#step(), STEP_MS);
    this.#step();
  }

  #step() {
    const left_ms = this.#end_ms - Date.now();
    if (left_ms <= 0) {
      this.#handlers.on_end();
      return this.#end();
    }
    document.body.dataset.sleep = left_ms < FADE_MS ? "soon" : "set";
    this.#left.textContent = text("sleep_left", Math.ceil(left_ms / MINUTE_MS));
    this.#fade(Math.min(1, left_ms / FADE_MS));
  }

  #end() {
    clearInterval(this.#timer);
    this.#end_ms = null;
    this.#select.value = "";
    this.#left.textContent = "";
    keep("sleep", null);
    delete document.body.dataset.sleep;
    this.#fade(1);
  }

  #fade(gain) {
    if (gain === this.#gain) return;
    this.#gain = gain;
    this.#handlers.on_gain(gain);
  }
}

// A whole hour that has only just begun, or is about to, counts as over: the next but one minute at least.
function next_hour_ms(now_ms) {
  const hour = new Date(now_ms + FADE_MS);
  hour.setHours(hour.getHours() + 1, 0, 0, 0);
  return hour.getTime();
}
