// SPDX-License-Identifier: MIT
// The volume slider, remembered if the browser allows it.
import { show_value } from "./controls.js";

const KEY = "auralis.volume";

export class Volume {
  #slider;

  // `on_change(gain)`.
  constructor(slider, on_change) {
    this.#slider = slider;
    this.#restore();
    slider.addEventListener("input", () => {
      show_value(slider);
      on_change(this.gain);
      this.#keep();
    });
  }

  // Perceived loudness is close to the square of the slider.
  get gain() {
    return this.#slider.valueAsNumber ** 2;
  }

  #restore() {
    try {
      const kept = Number.parseFloat(localStorage.getItem(KEY));
      if (kept >= 0 && kept <= 1) this.#slider.value = kept;
    } catch {
      // No storage here: the volume is not remembered.
    }
    show_value(this.#slider);
  }

  #keep() {
    try {
      localStorage.setItem(KEY, this.#slider.value);
    } catch {
      // As above.
    }
  }
}
