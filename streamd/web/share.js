// SPDX-License-Identifier: MIT
// "Share this moment": gives a link to the system's own choice of receivers, where there is one; else copies it; or shows it, selected, if
// the browser denies access to the clipboard, as it does on plain http.

import { text } from "./strings.js";

export class Share {
  #field;
  #input;
  #find_link;
  #say;

  // `find_link()` resolves to the link, or null; `say(sentence)` shows a sentence.
  constructor(button, field, { find_link, say }) {
    this.#field = field;
    this.#input = field.querySelector("input");
    this.#find_link = find_link;
    this.#say = say;
    button.addEventListener("click", () => this.share());
    this.#input.addEventListener("focus", () => this.#input.select());
  }

  // Hides a link to an earlier moment.
  hide() {
    this.#field.hidden = true;
  }

  async share() {
    const link = await this.#find_link();
    if (!link) return this.#say(text("nothing_to_share"));
    if (navigator.share && matchMedia("(pointer: coarse)").matches) {
      const shared = await navigator.share({ title: "Auralis", url: link }).then(() => true, ({ name }) => name === "AbortError");
      if (shared) return;
    }
    try {
      await navigator.clipboard.writeText(link);
      this.hide();
      this.#say(text("link_copied"));
    } catch {
      this.#input.value = link;
      this.#field.hidden = false;
      this.#input.focus();
      this.#say(text("copy_link"));
    }
  }
}
