// SPDX-License-Identifier: MIT
// Saves what was heard as a WAV file: the last minute, or from now on for up to half an hour. The samples are those of the audio thread
// (worklet.js), before the volume.
import { show_text, text } from "./strings.js";
import { wav_header } from "./wav.js";

const MOST_S = 30 * 60;
const MINUTE_S = 60;

export class Recorder {
  #last;
  #toggle;
  #output_of;
  #output = null;                      // that is recorded,
  #pieces = [];                        // and its Int16Arrays, interleaved stereo
  #frames = 0;

  // `page`: the page's elements by id; `output()`: the Output of now, or null.
  constructor(page, output) {
    this.#last = page.record_last;
    this.#toggle = page.record;
    this.#output_of = output;
    this.#last.addEventListener("click", () => this.#save_last());
    this.#toggle.addEventListener("click", () => (this.#output ? this.stop() : this.#start()));
  }

  // Call regularly: what can be recorded follows what plays.
  show() {
    const output = this.#output_of();
    if (this.#output && this.#output !== output) this.stop();
    this.#last.disabled = this.#toggle.disabled = output?.mode !== "worklet";
    show_text(this.#toggle, this.#output ? text("record_stop", in_minutes(this.#frames / this.#output.sample_rate)) : text("record_start"));
  }

  // Ends the recording, if there is one, and saves it.
  stop() {
    const output = this.#output;
    if (!output) return;
    this.#output = null;
    output.record(null);
    if (this.#frames > 0) save(this.#pieces, this.#frames, output.sample_rate);
    this.show();
  }

  async #save_last() {
    const output = this.#output_of();
    const samples = await output?.recent_samples();
    if (samples?.length > 0) save([samples], samples.length / 2, output.sample_rate);
  }

  #start() {
    const output = this.#output = this.#output_of();
    this.#pieces = [];
    this.#frames = 0;
    output?.record((samples) => {
      if (output !== this.#output) return;
      this.#pieces.push(samples);
      this.#frames += samples.length / 2;
      if (this.#frames >= MOST_S * output.sample_rate) this.stop();
    });
    this.show();
  }
}

function in_minutes(seconds) {
  return `${Math.floor(seconds / MINUTE_S)}:${String(Math.floor(seconds % MINUTE_S)).padStart(2, "0")}`;
}

function save(pieces, frames, sample_rate) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([wav_header({ frames, sample_rate, channels: 2, bits: 16 }), ...pieces], { type: "audio/wav" }));
  link.download = `auralis-${new Date().toISOString().slice(0, 19).replace(/:/g, "-")}.wav`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), MINUTE_S * 1000);
}
