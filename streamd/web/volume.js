// SPDX-License-Identifier: MIT
// The volume slider, remembered if the browser allows it, and silence at a key's press.
import { show_value } from "./controls.js";
import { keep, kept } from "./storage.js";

const STEP = 0.05;

export class Volume {
  #slider;
  #on_change;
  #muted_at = null;                    // the slider's value before

  // `on_change(gain)`.
  constructor(slider, on_change) {
    this.#slider = slider;
    this.#on_change = on_change;
    const before = kept("volume");
    if (typeof before === "number" && before >= 0 && before <= 1) slider.value = before;
    show_value(slider);
    slider.addEventListener("input", () => {
      this.#muted_at = null;
      this.#changed();
    });
  }

  // Perceived loudness is close to the square of the slider.
  get gain() {
    return this.#slider.valueAsNumber ** 2;
  }

  // `direction`: 1 is louder, -1 less loud.
  step(direction) {
    this.#slider.value = this.#slider.valueAsNumber + direction * STEP;
    this.#muted_at = null;
    this.#changed();
  }

  // Silent, or as before.
  toggle_mute() {
    const before = this.#muted_at;
    this.#muted_at = before === null ? this.#slider.valueAsNumber : null;
    this.#slider.value = before ?? 0;
    this.#changed();
  }

  #changed() {
    show_value(this.#slider);
    this.#on_change(this.gain);
    if (this.#muted_at === null) keep("volume", this.#slider.valueAsNumber);
  }
}
