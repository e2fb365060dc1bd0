// SPDX-License-Identifier: MIT
// "Share this moment": gives a link to the system's own choice of receivers, where there is one; else copies it, and shows it with its QR
// code for a phone: selected, if the browser denies access to the clipboard, as it does on plain http.

import { show_text, text } from "./strings.js";

export class Share {
  #page;
  #handlers;

  // `page`: the elements by id; `find_link()` resolves to the link, or null; `say(sentence)` shows a sentence.
  constructor(page, { find_link, say }) {
    this.#page = page;
    this.#handlers = { find_link, say };
    page.share.addEventListener("click", () => this.share());
    page.link_text.addEventListener("focus", () => page.link_text.select());
  }

  async share() {
    const link = await this.#handlers.find_link();
    if (!link) return this.#handlers.say(text("nothing_to_share"));
    if (navigator.share && matchMedia("(pointer: coarse)").matches) {
      const shared = await navigator.share({ title: "Auralis", url: link }).then(() => true, ({ name }) => name === "AbortError");
      if (shared) return;
    }
    const copied = navigator.clipboard?.writeText(link).then(() => true, () => false) ?? false;
    await this.#show(link, await copied);
  }

  async #show(link, copied) {
    const { link: dialog, link_text: field, link_said: said, link_code: code } = this.#page;
    show_text(said, text(copied ? "link_copied" : "copy_link"));
    field.value = link;
    code.toggleAttribute("hidden", true);
    dialog.showModal();
    if (!copied) field.focus();
    // Without the script, or of a link that is too long for one, the link alone is shown.
    const drawn = await import("./qr_code.js?v=VERSION").then(({ qr_code }) => qr_code(link)).catch(() => null);
    if (!drawn || field.value !== link) return;
    code.setAttribute("viewBox", `0 0 ${drawn.side} ${drawn.side}`);
    code.querySelector("path").setAttribute("d", drawn.path);
    code.toggleAttribute("hidden", false);
  }
}
