// SPDX-License-Identifier: MIT
// The thread of the scene: thirty times a second it paints a strip, of which the page's thread notices nothing.
//
// From the page: { canvases, colours }, first; { colours }; { levels }: of the bands; { moving }. To the page: { drawn: true } once all strips
// have their first picture.
import { AuroraPainter } from "./aurora_painter.js";

const FRAMES_A_SECOND = 30;

export function serve_aurora() {
  let painter = null;
  let timer = 0;
  let moving = false;

  const step = () => {
    painter.step(performance.now());
    if (!moving && painter.is_dark) timer = clearInterval(timer);
  };

  onmessage = ({ data }) => {
    if (data.canvases) {
      painter = new AuroraPainter(data.canvases.map((canvas) => canvas.getContext("2d")), data.colours);
      painter.draw_all(performance.now());
      postMessage({ drawn: true });
    } else if (data.colours) {
      painter.colours = data.colours;
      if (!timer) painter.draw_all(performance.now());
    } else if (data.levels) {
      painter.goals = data.levels;
    } else {
      moving = data.moving;
      if (moving) timer ||= setInterval(step, 1000 / FRAMES_A_SECOND);
      else if (data.hidden) timer = clearInterval(timer);
    }
  };
}
