// SPDX-License-Identifier: MIT
// The choice between lossless sound and sound that saves data, remembered where the browser lets it. There is none where the
// browser cannot decode the latter.

const KEY = "auralis.quality";
const SAVES_DATA = "opus";

export class Quality {
  #field;
  #select;

  // `field` holds the select. `on_change()`.
  constructor(field, on_change) {
    this.#field = field;
    this.#select = field.querySelector("select");
    this.#restore();
    this.#select.addEventListener("change", () => {
      this.#keep();
      on_change();
    });
  }

  get saves_data() {
    return !this.#field.hidden && this.#select.value === SAVES_DATA;
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
