// SPDX-License-Identifier: MIT
// Shows how well the sound comes: what is buffered, the latency, the gaps, and a drawing of the last five minutes.
import { show_text } from "./strings.js";

const SVG = "http://www.w3.org/2000/svg";
const KEPT_MS = 300_000;
const WIDTH = 300;                     // of the drawing, one unit a second
const HEIGHT = 80;
const FULL_MS = 8000;                  // what a buffer grows to at most, at the upper edge

export class SoundDisplay {
  #page;
  #line = document.createElementNS(SVG, "polyline");
  #bars = document.createElementNS(SVG, "path");
  #points = [];                        // { at_ms, buffer_ms, gaps }, of the last five minutes
  #gaps = 0;

  // `page`: the page's elements by id, of which `sound` holds the others, and `history` is an svg of WIDTH by HEIGHT units.
  constructor(page) {
    this.#page = page;
    page.history.append(this.#bars, this.#line);
  }

  // Call regularly. `playback`: the Playback.
  show(playback) {
    const { buffer_ms, latency_ms, underruns, gaps } = playback.sound;
    this.#add(playback.wanted ? buffer_ms : null, underruns + gaps, performance.now());
    if (!this.#page.sound.open) return;
    // A sound card's clock is no more precise than that: heard before it was due is heard at once.
    const known = (value) => (value === null || !playback.sounding ? "–" : `${Math.max(0, Math.round(value))} ms`);
    show_text(this.#page.buffer, known(buffer_ms));
    show_text(this.#page.latency, known(latency_ms));
    show_text(this.#page.gaps, String(underruns + gaps));
    this.#draw(performance.now());
  }

  // `gaps`: how many there were since play was pressed.
  #add(buffer_ms, gaps, now_ms) {
    const risen = Math.max(0, gaps - this.#gaps);
    this.#gaps = gaps;
    this.#points.push({ at_ms: now_ms, buffer_ms, gaps: risen });
    while (this.#points[0].at_ms < now_ms - KEPT_MS) this.#points.shift();
  }

  #draw(now_ms) {
    const x = ({ at_ms }) => (WIDTH - (now_ms - at_ms) * WIDTH / KEPT_MS).toFixed(1);
    const y = ({ buffer_ms }) => (HEIGHT * (1 - Math.min(1, Math.max(0, buffer_ms ?? 0) / FULL_MS))).toFixed(1);
    this.#line.setAttribute("points", this.#points.map((point) => `${x(point)},${y(point)}`).join(" "));
    this.#bars.setAttribute("d", this.#points.filter(({ gaps }) => gaps > 0).map((point) => `M${x(point)} 0V${HEIGHT}`).join(""));
  }
}
