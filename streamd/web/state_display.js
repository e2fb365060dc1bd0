// SPDX-License-Identifier: MIT
// Shows the state of playback on the page and in the system's controls: what is really heard, not what is wanted. While the
// browser suspends the sound the button plays; while the connection is down it stops.
import { show_text, text } from "./strings.js";

export class StateDisplay {
  #button;
  #text;
  #media;

  // `button`: play and stop; `text`: the element for the state; `media`: MediaControls.
  constructor(button, text, media) {
    this.#button = button;
    this.#text = text;
    this.#media = media;
  }

  // `playback`: the Playback; `reachable`: whether the server answers over HTTP.
  show(playback, reachable) {
    const stops = playback.wanted && playback.obstacle === null;
    this.#button.dataset.stops = String(stops);
    this.#button.setAttribute("aria-label", text(stops ? "stop" : "play"));
    if (!playback.wanted) this.#media.state = "none";
    else this.#media.state = playback.sounding ? "playing" : "paused";
    const [name, sentence] = describe(playback, reachable);
    document.body.dataset.state = name;
    show_text(this.#text, sentence);
  }
}

function describe(playback, reachable) {
  const name = name_of_present(playback, reachable);
  if (name === "idle") return [name, text("ready")];
  if (name === "reconnecting") return [name, text(name, Math.ceil(playback.retry_in_ms / 1000))];
  return [name, text(name)];
}

function name_of_present(playback, reachable) {
  if (!playback.wanted && reachable) return "idle";
  if (playback.wanted && playback.obstacle !== null) return playback.obstacle;
  if (!navigator.onLine && !playback.sounding && playback.state !== "open") return playback.wanted ? "offline" : "offline_idle";
  if (!playback.wanted) return "unreachable";
  if (playback.state === "waiting") return "reconnecting";
  if (playback.state !== "open") return "connecting";
  if (playback.sounding) return "playing";
  return playback.silent ? "silent" : "buffering";
}
