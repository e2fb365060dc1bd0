// SPDX-License-Identifier: MIT
// The system's media controls (lock screen, media keys). Systems offer them, and keep a page alive behind a locked screen,
// only for a media element, so one that loops silence plays beside the Web Audio graph.
import { wav_header } from "./wav.js";

const SILENCE_S = 10;
const SILENCE_HZ = 8000;

export class MediaControls {
  #element = null;
  #title = "Auralis";
  #state = "none";

  constructor({ play, stop }) {
    if (!("mediaSession" in navigator)) return;
    for (const [action, handler] of [["play", play], ["pause", stop], ["stop", stop]]) {
      try {
        navigator.mediaSession.setActionHandler(action, handler);
      } catch {
        // This browser does not know the action.
      }
    }
  }

  // Call within a user gesture, like all audio. Also while playing: resumes what the system has paused.
  start() {
    if (!this.#element) {
      this.#element = new Audio(URL.createObjectURL(silent_wav()));
      this.#element.loop = true;
    }
    // If refused there are no system controls, but the music plays.
    if (!this.#element.paused) return;
    this.#element.play().catch(() => {});
    this.show(this.#title);
  }

  stop() {
    this.#element?.pause();
  }

  // State that the system shows: "playing" (sound is output), "paused" (it should be, but is not) or "none".
  set state(state) {
    if (state === this.#state || !("mediaSession" in navigator)) return;
    this.#state = state;
    navigator.mediaSession.playbackState = state;
  }

  show(title) {
    this.#title = title;
    if (!this.#element || !("mediaSession" in navigator)) return;
    const artwork = [{ src: new URL("icon.svg", location.href).href, sizes: "any", type: "image/svg+xml" }];
    navigator.mediaSession.metadata = new MediaMetadata({ title, artist: "Auralis", artwork });
  }
}

// 8 bit mono: silence is the byte 128.
function silent_wav() {
  const frames = SILENCE_S * SILENCE_HZ;
  const header = wav_header({ frames, sample_rate: SILENCE_HZ, channels: 1, bits: 8 });
  return new Blob([header, new Uint8Array(frames).fill(128)], { type: "audio/wav" });
}
