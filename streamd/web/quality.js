// SPDX-License-Identifier: MIT
// The choice of the sound: automatic, lossless or data-saving, remembered if the browser allows it; or as the page's address has it,
// `format=pcm` or `format=opus`, for this visit. Hidden if the browser cannot decode Opus. The quality that plays may differ from the choice, and is shown then.

const KEY = "auralis.quality";
const FORMATS = ["pcm", "opus"];
const NAMES = { pcm: "lossless now", opus: "saving data now" };

export class Quality {
  #field;
  #select;
  #now;

  asked;                               // of the page's address, until the listener chooses; else null

  // `field` contains the select, and the output for the quality that plays. `asked`: the address' format, or null. `on_change()`.
  constructor(field, asked, on_change) {
    this.#field = field;
    this.asked = FORMATS.includes(asked) ? asked : null;
    this.#select = field.querySelector("select");
    this.#now = field.querySelector("output");
    this.#restore();
    this.#select.addEventListener("change", () => {
      this.asked = null;
      this.#keep();
      on_change();
    });
  }

  // "auto", "pcm" or "opus", as in Playback.
  get choice() {
    return this.#field.hidden ? "pcm" : this.#select.value;
  }

  // `codec`: the one that plays, or null; `changing`: whether the chosen one is about to.
  show(codec, changing) {
    const differs = codec !== null && this.#select.value !== "auto" && codec !== this.#select.value;
    const text = differs ? NAMES[codec] : "";
    if (this.#now.textContent !== text) this.#now.textContent = text;
    this.#select.setAttribute("aria-busy", String(differs && changing));
  }

  set offered(offered) {
    this.#field.hidden = !offered;
  }

  #restore() {
    if (this.asked) {
      this.#select.value = this.asked;
      return;
    }
    try {
      const kept = localStorage.getItem(KEY);
      if (FORMATS.includes(kept)) this.#select.value = kept;
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
