// SPDX-License-Identifier: MIT
// Shows the state of playback on the page and in the system's controls: what is really heard, not what is wanted. While the
// browser suspends the sound the button plays; while the connection is down it stops.

const PRESENT_STATES = {
  playing: "Playing", silent: "The music has stopped on the server; it comes back by itself.", buffering: "Buffering",
  interrupted: "Paused by the browser", no_device: "No sound device", connecting: "Connecting",
};

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
    this.#button.setAttribute("aria-label", stops ? "Stop" : "Play");
    if (!playback.wanted) this.#media.state = "none";
    else this.#media.state = playback.sounding ? "playing" : "paused";
    const [name, text] = describe(playback, reachable);
    document.body.dataset.state = name;
    // Screen readers announce each assignment, so unchanged text is left alone.
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }
}

function describe(playback, reachable) {
  if (!playback.wanted) return reachable ? ["idle", "Ready"] : ["unreachable", "Server not reachable"];
  const name = name_of_present(playback);
  if (name === "reconnecting") return [name, `Reconnecting in ${Math.ceil(playback.retry_in_ms / 1000)} s`];
  return [name, PRESENT_STATES[name]];
}

function name_of_present(playback) {
  if (playback.obstacle !== null) return playback.obstacle;
  if (playback.state === "waiting") return "reconnecting";
  if (playback.state !== "open") return "connecting";
  if (playback.sounding) return "playing";
  return playback.silent ? "silent" : "buffering";
}
