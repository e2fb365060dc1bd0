// SPDX-License-Identifier: MIT
// The picture of the scene: a few slow curtains of light, each as tall and bright as its band is loud. It is painted small, to be stretched
// (it has no sharp edges to lose), in strips side by side. WHY strips, one a frame: without a GPU a frame costs what it covers, and a twentieth
// of the page is a twentieth of the cost. The light moves so slowly that no border between a new and an old strip is seen.
// Page or worker.

export const STRIPS = 20;
const STRIP_WIDTH = 12;                // one ray a pixel
const HEIGHT = 96;
const WIDTH = STRIPS * STRIP_WIDTH;
const RAY_HEIGHT = 128;
const RISE = 0.12;                     // by this part of the difference a level follows its band in a frame,
const FALL = 0.04;                     // and where it falls
const DARK = 0.01;

// `foot`: position of the lower edge, `reach`: length of the rays, both as fractions of the height; `turn`: of the place's hue, in degrees.
const CURTAINS = [
  { from_hz: 40, to_hz: 180, turn: 0, foot: 0.87, speed: 0.011, waves: 0.9, reach: 0.80 },
  { from_hz: 180, to_hz: 420, turn: 22, foot: 0.80, speed: -0.015, waves: 1.2, reach: 0.74 },
  { from_hz: 420, to_hz: 1200, turn: -34, foot: 0.70, speed: 0.019, waves: 1.6, reach: 0.66 },
  { from_hz: 1200, to_hz: 5000, turn: -60, foot: 0.60, speed: -0.025, waves: 2.1, reach: 0.54 },
];
export const BANDS = CURTAINS.map(({ from_hz, to_hz }) => ({ from_hz, to_hz }));
const WARM_HUE = 28;                   // of the lowest light when the sun is low

export class AuroraPainter {
  #contexts;
  #colours;
  #rays;
  #levels = CURTAINS.map(() => 0);
  #strip = 0;

  goals = CURTAINS.map(() => 0);       // the bands' levels, 0 to 1, which the light follows

  // `contexts`: of the strips' canvases, STRIP_WIDTH x HEIGHT each, from left to right. `colours`: { hue, warmth, strength }: the place's hue in
  // degrees, the evening's share, and the brightness, 0 to 1.
  constructor(contexts, colours) {
    this.#contexts = contexts;
    for (const { canvas } of contexts) Object.assign(canvas, { width: STRIP_WIDTH, height: HEIGHT });
    this.colours = colours;
  }

  set colours(colours) {
    this.#colours = colours;
    this.#rays = CURTAINS.map((curtain, i) => draw_ray(this.#contexts[0], hue_of(curtain, i, colours)));
  }

  get is_dark() {
    return this.#levels.every((level) => level < DARK);
  }

  // Paints the next strip, as it is at that time.
  step(time_ms) {
    this.goals.forEach((goal, i) => { this.#levels[i] += (goal - this.#levels[i]) * (goal > this.#levels[i] ? RISE : FALL); });
    this.#draw(this.#strip, time_ms / 1000);
    this.#strip = (this.#strip + 1) % STRIPS;
  }

  draw_all(time_ms) {
    for (let strip = 0; strip < STRIPS; ++strip) this.#draw(strip, time_ms / 1000);
  }

  #draw(strip, time) {
    const context = this.#contexts[strip];
    context.clearRect(0, 0, STRIP_WIDTH, HEIGHT);
    context.globalCompositeOperation = "lighter";
    CURTAINS.forEach((curtain, i) => {
      draw_curtain(context, { ...curtain, ray: this.#rays[i], level: this.#levels[i], strength: this.#colours.strength }, strip * STRIP_WIDTH, time);
    });
  }
}

function hue_of({ turn }, i, { hue, warmth }) {
  if (i > 0) return hue + turn;
  const way = ((WARM_HUE - hue + 540) % 360) - 180;
  return hue + way * warmth;
}

// One ray, to be stretched: bright near its foot, fading upwards.
function draw_ray({ canvas }, hue) {
  const ray = typeof OffscreenCanvas === "undefined" ? canvas.ownerDocument.createElement("canvas") : new OffscreenCanvas(1, RAY_HEIGHT);
  ray.width = 1;
  ray.height = RAY_HEIGHT;
  const context = ray.getContext("2d");
  const light = context.createLinearGradient(0, 0, 0, RAY_HEIGHT);
  for (const [at, alpha] of [[0, 0], [0.45, 0.22], [0.82, 0.9], [1, 0]]) light.addColorStop(at, `hsl(${hue} 72% 62% / ${alpha})`);
  context.fillStyle = light;
  context.fillRect(0, 0, 1, RAY_HEIGHT);
  return ray;
}

function draw_curtain(context, { foot, speed, waves, reach, ray, level, strength }, first, time) {
  for (let x = 0; x < STRIP_WIDTH; ++x) {
    const turn = 2 * Math.PI * ((first + x) / WIDTH * waves + time * speed + foot);
    const fold = Math.sin(turn) + 0.5 * Math.sin(2.3 * turn + 1.7);
    const shimmer = 0.5 + 0.5 * Math.sin(5.1 * turn + 3 * Math.sin(1.3 * turn));
    const height = reach * (0.35 + 0.65 * level) * (0.7 + 0.2 * shimmer + 0.1 * fold);
    const bottom = foot + 0.07 * fold;
    context.globalAlpha = strength * (0.08 + 0.5 * level) * (0.3 + 0.7 * shimmer);
    context.drawImage(ray, x, (bottom - height) * HEIGHT, 1, height * HEIGHT);
  }
}
