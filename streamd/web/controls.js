// SPDX-License-Identifier: MIT
// The controls of the music: key, mode, tempo, levels, switches and presets. They show the station's state, since other
// listeners change it too; a control that this listener has just changed keeps its value until the station confirms it.
//
// Steps of a change: touched (not sent yet) -> sent -> accepted (has a request number) -> in force (a status has that number
// or a higher one). Until the last step it is shown as pending.
import { RateLimiter } from "./rate_limiter.js";
import { text } from "./strings.js";

const SEND_INTERVAL_MS = 150;          // while a control is dragged; longer at the server's rate limit
const NEAR_MS = 10000;                 // a listener who has changed the music may change it again so soon
const ERROR_SHOWN_MS = 8000;

const as_percent = (value) => `${Math.round(value * 100)} %`;
const as_bpm = (value) => text("bpm", Math.round(value));

export class Controls {
  #form;
  #send;
  #on_near;
  #near_timer = 0;
  #enabled = true;
  #fields = new Map();                 // parameter name -> its element
  #presets;                            // preset name -> its button
  #target = {};                        // the station's last known target
  #touched = {};                       // changed here, not sent yet
  #selected = null;                    // preset chosen before those, not sent yet
  #changes = [];                       // sent, not in force yet, oldest first: { names, request }
  #held = null;                        // the parameter that is being dragged
  #timer = 0;
  #rate_limiter = new RateLimiter();
  #error = document.getElementById("error");
  #error_timer = 0;

  // `presets`: the buttons by the presets' names, which select() follows. `send(message)` sends a control message; replies come back
  // through accepted(), refused() and status(). `on_near(near)`: whether the listener is changing the music, or may soon.
  constructor(form, presets, { send, on_near }) {
    this.#form = form;
    this.#presets = presets;
    this.#send = send;
    this.#on_near = on_near;
    for (const element of form.querySelectorAll("[data-parameter]")) {
      this.#fields.set(element.dataset.parameter, element);
      element.addEventListener("input", () => this.#touch(element));
      element.addEventListener("pointerdown", () => { this.#held = element.dataset.parameter; });
      show_value(element);
    }
    for (const event of ["pointerup", "pointercancel"]) addEventListener(event, () => this.#release());
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  // Whether the listener may change the music.
  set enabled(enabled) {
    this.#enabled = enabled;
    this.#show_enabled();
  }

  status({ target, preset, request }) {
    this.#changes = this.#changes.filter((change) => change.request === null || change.request > request);
    this.#target = target;
    this.#show();
    for (const [name, button] of this.#presets) button.setAttribute("aria-pressed", String(name === preset));
  }

  // Replies come in the order of the messages, so this one is for the oldest without a number.
  accepted({ request, target }) {
    const change = this.#oldest_unanswered();
    if (change) change.request = request;
    this.#target = target;
    this.#show_error("");
    this.#show();
  }

  refused(message) {
    const change = this.#oldest_unanswered();
    if (change) this.#changes.splice(this.#changes.indexOf(change), 1);
    this.#show_error(message);
    this.#show();
  }

  // The server takes back accepted changes: `request` and all before it.
  taken_back({ request, target, message }) {
    const count = this.#changes.length;
    this.#changes = this.#changes.filter((change) => change.request === null || change.request > request);
    this.#target = target;
    if (this.#changes.length < count) this.#show_error(message);
    this.#show();
  }

  // Forgets the sent changes: with their connection the replies are lost.
  forget_changes() {
    this.#changes = [];
    this.#show();
  }

  // Discards changes that were meant for the station being left.
  leave_station() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#touched = {};
    this.#selected = null;
    for (const button of this.#presets.values()) button.setAttribute("aria-pressed", "false");
    this.forget_changes();
  }

  get pending() {
    return this.#changes.length > 0 || this.#selected !== null || Object.keys(this.#touched).length > 0;
  }

  #touch(element) {
    this.#come_near();
    this.#touched[element.dataset.parameter] = read_value(element);
    show_value(element);
    this.#mark_pending();
    this.#send_later(SEND_INTERVAL_MS);
  }

  #come_near() {
    this.#on_near(true);
    clearTimeout(this.#near_timer);
    this.#near_timer = setTimeout(() => this.#on_near(false), NEAR_MS);
  }

  // One timer for all controls, and only their newest values: if the browser delays it, nothing has piled up.
  #send_later(least_ms) {
    this.#timer ||= setTimeout(() => this.#send_next(), Math.max(least_ms, this.#wait_ms()));
  }

  #send_next() {
    this.#timer = 0;
    if (this.#selected !== null) {
      const preset = this.#selected;
      this.#selected = null;
      this.#send_change({ type: "select_preset", preset }, this.#names_of(preset));
      if (Object.keys(this.#touched).length > 0) this.#send_later(SEND_INTERVAL_MS);
      return;
    }
    const parameters = this.#touched;
    this.#touched = {};
    this.#send_change({ type: "update_params", parameters }, Object.keys(parameters));
  }

  // A preset sets everything: earlier touched values are not sent.
  select(name) {
    this.#come_near();
    this.#selected = name;
    this.#touched = {};
    this.#mark_pending();
    this.#send_later(0);
  }

  #names_of(preset) {
    return [...this.#fields.keys(), preset];
  }

  // Time until the next change may be sent; counts it as sent.
  #wait_ms() {
    return this.#rate_limiter.take(performance.now());
  }

  #send_change(message, names) {
    this.#changes.push({ names: new Set(names), request: null });
    this.#mark_pending();
    this.#send(message);
  }

  #oldest_unanswered() {
    return this.#changes.find((change) => change.request === null);
  }

  #release() {
    this.#held = null;
    this.#show();
  }

  #show() {
    for (const [name, element] of this.#fields) {
      const unanswered = this.#changes.some((change) => change.request === null && change.names.has(name));
      const unsent = this.#selected !== null || name in this.#touched;
      if (unanswered || unsent || name === this.#held || !(name in this.#target)) continue;
      write_value(element, this.#target[name]);
      show_value(element);
    }
    this.#mark_pending();
  }

  #mark_pending() {
    const selected = new Set(this.#selected === null ? [] : this.#names_of(this.#selected));
    const waits = (name) =>
      selected.has(name) || name in this.#touched || this.#changes.some(({ names }) => names.has(name));
    for (const [name, element] of this.#fields) {
      element.closest(".field").classList.toggle("pending", waits(name));
      element.setAttribute("aria-busy", String(waits(name)));
    }
    for (const [name, button] of this.#presets) button.classList.toggle("pending", waits(name));
  }

  #show_enabled() {
    for (const part of this.#form.querySelectorAll("fieldset")) part.disabled = !this.#enabled;
  }

  #show_error(message) {
    clearTimeout(this.#error_timer);
    this.#error.textContent = message;
    this.#error.hidden = !message;
    if (message) this.#error_timer = setTimeout(() => this.#show_error(""), ERROR_SHOWN_MS);
  }
}

function read_value(element) {
  if (element.type === "checkbox") return element.checked;
  return element.type === "range" ? element.valueAsNumber : element.value;
}

function write_value(element, value) {
  if (element.type === "checkbox") element.checked = value;
  else element.value = value;
}

// Shows the number beside a slider, and the filled part of its track.
export function show_value(element) {
  if (element.type !== "range") return;
  const shown = element.id === "bpm" ? as_bpm(element.valueAsNumber) : as_percent(element.valueAsNumber);
  const filled = (element.valueAsNumber - element.min) / (element.max - element.min);
  element.style.setProperty("--filled", `${filled * 100}%`);
  element.setAttribute("aria-valuetext", shown);
  const value = document.querySelector(`[data-of="${element.id}"]`);
  if (value) value.textContent = shown;
}
