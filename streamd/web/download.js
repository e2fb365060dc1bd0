// SPDX-License-Identifier: MIT
// Saves an hour of music from the moment that is heard on, as a file that the server renders.
import { show_text, text } from "./strings.js";

const MOST_MINUTES = 60;

export class Download {
  #button;
  #handlers;
  #minutes = 0;

  // `handlers`: find(), as in moments.js; say(sentence).
  constructor(button, handlers) {
    this.#button = button;
    this.#handlers = handlers;
    button.addEventListener("click", () => this.#save());
  }

  // As the server's status has it: the most minutes, 0 if it offers none.
  set minutes(minutes) {
    this.#minutes = Math.min(minutes, MOST_MINUTES);
    this.#button.hidden = this.#minutes === 0;
    show_text(this.#button, text("download", this.#minutes));
  }

  // Asks first: a download that is refused would tell nothing of the reason.
  async #save() {
    const moment = await this.#handlers.find();
    if (!moment) return this.#handlers.say(text("nothing_to_share"));
    const address = `download/${this.#minutes}.opus?${moment.choice}`;
    const answer = await fetch(address, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (!answer?.ok) return this.#handlers.say(text(answer ? "no_download" : "unreachable"));
    const link = document.createElement("a");
    link.href = address;
    link.download = "";                // its name is the server's
    link.click();
    this.#handlers.say(text("download_begins"));
  }
}
