// SPDX-License-Identifier: MIT
// The choice of the sound: automatic, lossless or data-saving, remembered if the browser allows it; or as the page's address has it,
// `format=pcm`, `format=opus` or `format=audio`, for this visit. Hidden if the browser cannot decode Opus and nothing else
// is chosen. The quality that plays may differ from the choice, and is shown then.
import { OPUS_RATE } from "./opus_decoder.js";
import { keep, kept } from "./storage.js";
import { show_text, text } from "./strings.js";

const DEFAULT_RATE = 44100;
const FORMATS = ["pcm", "opus", "audio"];
// Phones whose browsers suspend the page's audio thread when they are locked, but no <audio> element. Tablets call themselves Macs.
const is_phone = () => /iPad|iPhone|iPod/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
const NAMES = { pcm: "lossless_now", opus: "saving_now" };

export class Quality {
  #field;
  #select;
  #now;
  #can_opus = false;

  asked;                               // of the page's address, until the listener chooses; else null

  // `field` contains the select, and the output for the quality that plays. `asked`: the address' format, or null. `on_change()`.
  constructor(field, asked, on_change) {
    this.#field = field;
    this.asked = FORMATS.includes(asked) ? asked : null;
    this.#select = field.querySelector("select");
    this.#now = field.querySelector("output");
    const chosen = this.asked ?? kept("quality") ?? (is_phone() ? "audio" : null);
    if (FORMATS.includes(chosen)) this.#select.value = chosen;
    this.#select.addEventListener("change", () => {
      this.asked = null;
      keep("quality", this.#select.value);
      on_change();
    });
  }

  // "auto", "pcm", "opus" or "audio", as in Playback.
  get choice() {
    return this.#can_opus || this.#select.value === "audio" ? this.#select.value : "pcm";
  }

  // Of a station with that status, or null, in frames a second: the sound card's rate at which it need not be converted.
  sample_rate_for(status) {
    return this.choice === "pcm" ? status?.sample_rate ?? DEFAULT_RATE : OPUS_RATE;
  }

  // `codec`: the one that plays, or null; `changing`: whether the chosen one is about to.
  show(codec, changing) {
    const differs = codec !== null && this.#select.value in NAMES && codec !== this.#select.value;
    show_text(this.#now, differs ? text(NAMES[codec]) : "");
    this.#select.setAttribute("aria-busy", String(differs && changing));
  }

  // Whether the browser decodes Opus for the page.
  set can_opus(can) {
    this.#can_opus = can;
    this.#select.querySelector("[value=opus]").hidden = !can;
    this.#field.hidden = !can && this.#select.value !== "audio";
  }
}
