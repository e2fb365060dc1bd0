// SPDX-License-Identifier: MIT
// "Share this moment": copies a link, or shows it, selected, if the browser denies access to the clipboard, as it does on
// plain http.

const FAILED = "There is nothing to share now: the server does not say what is playing.";
const COPIED = "The link is copied: it plays the music from this moment on.";
const SHOWN = "Copy this link: it plays the music from this moment on.";

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
    button.addEventListener("click", () => this.#share());
    this.#input.addEventListener("focus", () => this.#input.select());
  }

  // Hides a link to an earlier moment.
  hide() {
    this.#field.hidden = true;
  }

  async #share() {
    const link = await this.#find_link();
    if (!link) return this.#say(FAILED);
    try {
      await navigator.clipboard.writeText(link);
      this.hide();
      this.#say(COPIED);
    } catch {
      this.#input.value = link;
      this.#field.hidden = false;
      this.#input.focus();
      this.#say(SHOWN);
    }
  }
}
