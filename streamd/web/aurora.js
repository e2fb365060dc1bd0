// SPDX-License-Identifier: MIT
// Light that follows the sound: a few slow curtains, each as tall as its band is loud. It shares the page's thread, so it is
// drawn small and stretched (it has no sharp edges to lose), at a low rate, and only while there is sound. It stands still
// if the listener prefers reduced motion.

const WIDTH = 240;                     // one ray a pixel
const HEIGHT = 96;
const INTERVAL_MS = 45;
const QUIET_DB = -85;                  // a band at this level is dark;
const LOUD_DB = -30;                   // at this one, full

// `foot`: position of the lower edge, `reach`: length of the rays, both as fractions of the height.
const CURTAINS = [
  { from_hz: 40, to_hz: 180, colour: "70, 110, 235", foot: 0.92, speed: 0.031, waves: 0.9, reach: 0.80 },
  { from_hz: 180, to_hz: 420, colour: "140, 105, 255", foot: 0.80, speed: -0.043, waves: 1.2, reach: 0.74 },
  { from_hz: 420, to_hz: 1200, colour: "70, 215, 195", foot: 0.70, speed: 0.057, waves: 1.6, reach: 0.66 },
  { from_hz: 1200, to_hz: 5000, colour: "130, 240, 170", foot: 0.60, speed: -0.074, waves: 2.1, reach: 0.54 },
];

export class Aurora {
  #glow;
  #context;
  #analyser = null;
  #bins = null;
  #levels = CURTAINS.map(() => 0);
  #rays = CURTAINS.map(({ colour }) => draw_ray(colour));
  #running = false;
  #drawn_ms = 0;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  // `glow`: an element whose style property --level follows the loudness, 0 to 1.
  constructor(canvas, glow) {
    this.#glow = glow;
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    this.#context = canvas.getContext("2d");
    this.#draw(0);
  }

  start(analyser) {
    this.#analyser = analyser;
    this.#bins = new Float32Array(analyser.frequencyBinCount);
    if (this.#still.matches || this.#running) return;
    this.#running = true;
    this.#next();
  }

  // Lets the light fade, then stops drawing.
  stop() {
    this.#analyser = null;
  }

  #next() {
    requestAnimationFrame((time_ms) => {
      if (time_ms - this.#drawn_ms < INTERVAL_MS) return this.#next();
      this.#drawn_ms = time_ms;
      const loudest = this.#follow_levels();
      this.#draw(time_ms / 1000);
      this.#glow.style.setProperty("--level", loudest.toFixed(2));
      this.#running = this.#analyser !== null || loudest > 0.01;
      if (this.#running) this.#next();
    });
  }

  #follow_levels() {
    if (this.#analyser) this.#analyser.getFloatFrequencyData(this.#bins);
    CURTAINS.forEach((curtain, i) => {
      const level = this.#analyser ? this.#band_level(curtain) : 0;
      this.#levels[i] += (level - this.#levels[i]) * (level > this.#levels[i] ? 0.16 : 0.06);
    });
    return Math.max(...this.#levels);
  }

  #band_level({ from_hz, to_hz }) {
    const hz_per_bin = this.#analyser.context.sampleRate / this.#analyser.fftSize;
    let peak_db = QUIET_DB;
    for (let bin = Math.floor(from_hz / hz_per_bin); bin * hz_per_bin < to_hz; ++bin) {
      peak_db = Math.max(peak_db, this.#bins[bin]);
    }
    return Math.min(1, (peak_db - QUIET_DB) / (LOUD_DB - QUIET_DB));
  }

  #draw(time) {
    const context = this.#context;
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.globalCompositeOperation = "lighter";
    CURTAINS.forEach((curtain, i) => draw_curtain(context, curtain, this.#rays[i], this.#levels[i], time));
  }
}

// Draws one ray, to be stretched: bright near its foot, fading upwards.
function draw_ray(colour) {
  const ray = document.createElement("canvas");
  ray.width = 1;
  ray.height = 128;
  const context = ray.getContext("2d");
  const light = context.createLinearGradient(0, 0, 0, ray.height);
  light.addColorStop(0, `rgba(${colour}, 0)`);
  light.addColorStop(0.45, `rgba(${colour}, 0.22)`);
  light.addColorStop(0.82, `rgba(${colour}, 0.9)`);
  light.addColorStop(1, `rgba(${colour}, 0)`);
  context.fillStyle = light;
  context.fillRect(0, 0, 1, ray.height);
  return ray;
}

function draw_curtain(context, { foot, speed, waves, reach }, ray, level, time) {
  for (let x = 0; x < WIDTH; ++x) {
    const turn = 2 * Math.PI * (x / WIDTH * waves + time * speed + foot);
    const fold = Math.sin(turn) + 0.5 * Math.sin(2.3 * turn + 1.7);
    const shimmer = 0.5 + 0.5 * Math.sin(5.1 * turn + 3 * Math.sin(1.3 * turn));
    const height = reach * (0.35 + 0.65 * level) * (0.7 + 0.2 * shimmer + 0.1 * fold);
    const bottom = foot + 0.07 * fold;
    context.globalAlpha = (0.08 + 0.5 * level) * (0.3 + 0.7 * shimmer);
    context.drawImage(ray, x, (bottom - height) * HEIGHT, 1, height * HEIGHT);
  }
}
