// SPDX-License-Identifier: MIT
// The choice between lossless and data-saving sound, remembered if the browser allows it. Hidden if the browser cannot decode
// Opus. The quality that plays may differ from the choice, and is shown then.

const KEY = "auralis.quality";
const SAVES_DATA = "opus";
const NAMES = { pcm: "lossless now", opus: "saving data now" };

export class Quality {
  #field;
  #select;
  #now;

  // `field` contains the select, and the output for the quality that plays. `on_change()`.
  constructor(field, on_change) {
    this.#field = field;
    this.#select = field.querySelector("select");
    this.#now = field.querySelector("output");
    this.#restore();
    this.#select.addEventListener("change", () => {
      this.#keep();
      on_change();
    });
  }

  get saves_data() {
    return !this.#field.hidden && this.#select.value === SAVES_DATA;
  }

  // `codec`: the one that plays, or null; `changing`: whether the chosen one is about to.
  show(codec, changing) {
    const differs = codec !== null && codec !== this.#select.value;
    const text = differs ? NAMES[codec] : "";
    if (this.#now.textContent !== text) this.#now.textContent = text;
    this.#select.setAttribute("aria-busy", String(differs && changing));
  }

  set offered(offered) {
    this.#field.hidden = !offered;
  }

  #restore() {
    try {
      if (localStorage.getItem(KEY) === SAVES_DATA) this.#select.value = SAVES_DATA;
    } catch {
      // No storage here: the choice is not remembered.
    }
  }

  #keep() {
    try {
      localStorage.setItem(KEY, this.#select.value);
    } catch {
      // As above.
    }
  }
}
