// SPDX-License-Identifier: MIT
// The thread of the scene: thirty times a second it paints a strip, of which the page's thread notices nothing.
//
// From the page: { canvases, colours }, first; then what AuroraMotion.take() takes. To the page: { drawn: true } once all strips have their
// first picture.
import { AuroraMotion } from "./aurora_motion.js";

const INTERVAL_MS = 1000 / 30;

export function serve_aurora() {
  let motion = null;
  onmessage = ({ data }) => {
    if (!data.canvases) return motion.take(data);
    motion = new AuroraMotion(data.canvases.map((canvas) => canvas.getContext("2d")), data.colours, INTERVAL_MS);
    postMessage({ drawn: true });
  };
}
