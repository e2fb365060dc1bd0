// SPDX-License-Identifier: MIT
// The form for a personal station: a preset, and optionally a seed, for the same music again.
import { preset_title } from "./music_words.js";
import { own_station, seed_of } from "./station_choice.js";

export class OwnStation {
  #form;
  #preset;
  #seed;
  #seed_error;

  // `start(choice)`.
  constructor(form, start) {
    this.#form = form;
    this.#preset = form.querySelector("select");
    this.#seed = form.querySelector("#own_seed");
    this.#seed_error = form.querySelector("#own_seed_error");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const seed = seed_of(this.#seed.value);
      this.#show_seed(seed !== null);
      if (seed === null) this.#seed.focus();
      else start(own_station({ preset: this.#preset.value, seed }));
    });
    this.#seed.addEventListener("input", () => {
      if (seed_of(this.#seed.value) !== null) this.#show_seed(true);
    });
  }

  show_presets(presets) {
    for (const { name } of presets) this.#preset.append(new Option(preset_title(name), name));
  }

  // Hides the form if the operator's limit leaves no room beside the configured stations.
  show({ places, stations }) {
    this.#form.hidden = places.total > 0 && places.total <= stations.length;
  }

  get offered() {
    return !this.#form.hidden;
  }

  set busy(busy) {
    this.#form.querySelector("button").setAttribute("aria-busy", String(busy));
  }

  focus() {
    this.#preset.focus();
  }

  #show_seed(good) {
    this.#seed.setAttribute("aria-invalid", String(!good));
    this.#seed_error.hidden = good;
  }
}
