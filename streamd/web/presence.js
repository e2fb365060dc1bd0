// SPDX-License-Identifier: MIT
// Time in which this thread ran ("attended time"). A laptop sleeps, a browser freezes or throttles a tab: time that passes
// meanwhile says nothing about a server or a connection. All of the player's timeouts are in attended time, and a callback
// reports the end of an absence. Runs on any thread; an object stays on its own thread.
//
// A periodic tick that comes late indicates an absence. If performance.now() stops while the machine sleeps, the tick is on
// time, but wall time has advanced. A change of the system's clock looks the same, and is treated as an absence as well,
// which does no harm.

const TICK_MS = 500;
const ABSENT_MS = 2500;                // a later tick is an absence; a throttled tab, with one tick a second, is present
const SLEPT_MS = 1000;                 // a deviation of wall time from performance.now() beyond this is a sleep

export class Presence {
  #on_return;
  #timer = 0;
  #seen_ms = 0;                        // the last check, by performance.now(),
  #wall_ms = 0;                        // and how far wall time was ahead of it then
  #attended_ms = 0;

  // `on_return()`: after an absence, before anything else that this object calls.
  constructor(on_return = () => {}) {
    this.#on_return = on_return;
  }

  // Starts checking, until stop(), after which no timeout fires.
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

  // Milliseconds in which this thread ran since the first start(); an absence counts as one tick, so that timeouts fire even
  // in a tab that rarely runs. Reading it detects an absence.
  get attended_ms() {
    this.#look();
    return this.#attended_ms;
  }

  // Calls back once, after `ms` of attended time; cancel() of the returned object prevents it.
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
