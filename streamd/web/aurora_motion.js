// SPDX-License-Identifier: MIT
// The scene in motion: paints one strip after the other while it is to move, and after that until its light has faded. Page or worker.
import { AuroraPainter } from "./aurora_painter.js";

export class AuroraMotion {
  #painter;
  #interval_ms;
  #timer = 0;
  #moving = false;

  // `contexts`, `colours`: as AuroraPainter's. `interval_ms`: between two strips.
  constructor(contexts, colours, interval_ms) {
    this.#painter = new AuroraPainter(contexts, colours);
    this.#interval_ms = interval_ms;
    this.#painter.draw_all(performance.now());
  }

  // { colours }; { levels }: of the bands, which the light follows; { moving, hidden }: whether it is to move, and whether nobody sees it.
  take({ colours, levels, moving, hidden }) {
    if (colours) this.#show(colours);
    else if (levels) this.#painter.goals = levels;
    else this.#move(moving, hidden);
  }

  // While it stands still nothing else would paint it.
  #show(colours) {
    this.#painter.colours = colours;
    if (!this.#timer) this.#painter.draw_all(performance.now());
  }

  #move(moving, hidden) {
    this.#moving = moving;
    if (moving) this.#timer ||= setInterval(() => this.#step(), this.#interval_ms);
    else if (hidden) this.#rest();
  }

  #step() {
    this.#painter.step(performance.now());
    if (!this.#moving && this.#painter.is_dark) this.#rest();
  }

  #rest() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }
}
