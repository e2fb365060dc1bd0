// SPDX-License-Identifier: MIT
// What the page and the system's controls say about playing: what really sounds, which is not always what is wanted. While
// the browser lets no sound out, the button plays; while the connection is the trouble, it stops.

const PRESENT_STATES = {
  playing: "Playing", silent: "Silence: no sound comes from the server", buffering: "Buffering",
  interrupted: "Paused by the browser", no_device: "No sound device", connecting: "Connecting",
};

export class Standing {
  #button;
  #text;
  #media;

  // `button`: play and stop; `text`: the element that tells the state; `media`: MediaControls.
  constructor(button, text, media) {
    this.#button = button;
    this.#text = text;
    this.#media = media;
  }

  // `listening`: the Listening; `reachable`: whether the server answers over HTTP.
  show(listening, reachable) {
    const stops = listening.wanted && listening.obstacle === null;
    this.#button.setAttribute("aria-pressed", String(stops));
    this.#button.setAttribute("aria-label", stops ? "Stop" : "Play");
    if (!listening.wanted) this.#media.state = "none";
    else this.#media.state = listening.sounding ? "playing" : "paused";
    const [name, text] = describe(listening, reachable);
    document.body.dataset.state = name;
    // Screen readers announce each assignment, so unchanged text is left alone.
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }
}

function describe(listening, reachable) {
  if (!listening.wanted) return reachable ? ["idle", "Ready"] : ["unreachable", "Server not reachable"];
  const name = name_of_present(listening);
  if (name === "reconnecting") return [name, `Connecting again in ${Math.ceil(listening.retry_in_ms / 1000)} s`];
  return [name, PRESENT_STATES[name]];
}

function name_of_present(listening) {
  if (listening.obstacle !== null) return listening.obstacle;
  if (listening.state === "waiting") return "reconnecting";
  if (listening.state !== "open") return "connecting";
  if (listening.sounding) return "playing";
  return listening.silent ? "silent" : "buffering";
}
