// SPDX-License-Identifier: MIT
// Time in which this thread ran ("attended time"). A laptop sleeps, a browser freezes or throttles a tab: what passes
// meanwhile says nothing about a server or a connection. Every limit of the player is measured in attended time, and code
// that has to ask again after an absence is told of it. Runs on any thread; an object stays on its own.
//
// A steady tick that comes late tells of an absence. If performance.now() stands still while the machine sleeps, the tick
// comes in time, but wall time has moved on. Wall time that somebody set looks the same, and is treated as an absence, too,
// which does no harm.

const TICK_MS = 500;
const ABSENT_MS = 2500;                // a later tick is an absence; throttled tabs, with one a second, are present
const SLEPT_MS = 1000;                 // wall time that moved so far beyond performance.now(), or back, tells of a sleep

export class Presence {
  #on_return;
  #timer = 0;
  #seen_ms = 0;                        // the last look, by performance.now(),
  #wall_ms = 0;                        // and how far wall time was ahead of it then
  #attended_ms = 0;

  // `on_return()`: after an absence, before anything else that this object calls.
  constructor(on_return = () => {}) {
    this.#on_return = on_return;
  }

  // Looks from now on until stop(), after which no deadline is met.
  start() {
    this.stop();
    this.#seen_ms = performance.now();
    this.#wall_ms = Date.now() - this.#seen_ms;
    this.#timer = setInterval(() => this.#look(), TICK_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }

  // Milliseconds in which this thread ran, since the first start(); an absence counts as one tick, so that limits are met
  // in a tab that hardly ever runs, too. Reading it notices an absence.
  get attended_ms() {
    this.#look();
    return this.#attended_ms;
  }

  // Calls back once, after `ms` of attended time; cancel() of what is returned prevents it.
  after(ms, callback) {
    const due_ms = this.attended_ms + ms;
    let timer = 0;
    const wait = (left_ms) => { timer = setTimeout(look, left_ms); };
    const look = () => {
      timer = null;
      const left_ms = due_ms - this.attended_ms;
      if (timer === 0 || this.#timer === 0) return;  // cancelled in on_return(), or stopped
      if (left_ms > 0) wait(left_ms);
      else callback();
    };
    wait(ms);
    return {
      cancel: () => {
        clearTimeout(timer);
        timer = 0;
      },
    };
  }

  #look() {
    if (this.#timer === 0) return;
    const now_ms = performance.now();
    const wall_ms = Date.now() - now_ms;
    const step_ms = now_ms - this.#seen_ms;
    const absent = step_ms > ABSENT_MS;
    const slept = Math.abs(wall_ms - this.#wall_ms) > SLEPT_MS;
    this.#seen_ms = now_ms;
    this.#wall_ms = wall_ms;
    this.#attended_ms += absent ? TICK_MS : step_ms;
    if (absent || slept) this.#on_return();
  }
}
