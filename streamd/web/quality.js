// SPDX-License-Identifier: MIT
// The choice between lossless sound and sound that saves data, remembered where the browser lets it. There is none where the
// browser cannot decode the latter. What plays may differ from what was chosen, and is told then.

const KEY = "auralis.quality";
const SAVES_DATA = "opus";
const NAMES = { pcm: "lossless now", opus: "saving data now" };

export class Quality {
  #field;
  #select;
  #now;

  // `field` holds the select, and the output for what plays. `on_change()`.
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

  // `codec`: what plays, null while nothing does; `changing`: whether what was chosen is on its way.
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
