// SPDX-License-Identifier: MIT
// The page: ties the connection (stream_thread.js), the sound (output.js), the controls and the displays together.
import { Aurora } from "./aurora.js";
import { local_now_ms } from "./clock.js";
import { Controls, show_value } from "./controls.js";
import { MediaControls } from "./media_session.js";
import { Output } from "./output.js";
import { StreamThread } from "./stream_thread.js";

const DEFAULT_RATE = 44100;
const FIRST_REPORT_MS = 2000;
const REPORT_INTERVAL_MS = 5000;
const DISPLAY_INTERVAL_MS = 500;
const STALE_MS = 1000;                 // a sound card that says nothing for this long is not playing
const POLL_MS = 10000;                 // how often the station is asked over HTTP,
const PENDING_POLL_MS = 700;           // and while a change made over HTTP waits to be in force
const VOLUME_KEY = "auralis.volume";

const by_id = (id) => document.getElementById(id);
const page = {
  play: by_id("play"), now: by_id("now"), next: by_id("next"), volume: by_id("volume"), state: by_id("state"),
  buffer: by_id("buffer"), latency: by_id("latency"), listeners: by_id("listeners"), notice: by_id("notice"),
};

let output = null;                     // while the listener wants sound
let session = 0;                       // counts plays, so that what belongs to an earlier one is told apart
let status = null;                     // the station's newest
let reachable = true;
let interrupted = false;
let retry_in_ms = 0;
let sound = no_sound();

// What the sound card last told, and the latency and buffer since the last report to the server.
function no_sound() {
  return {
    playing: false, seq: -1, buffer_ms: null, latency_ms: null, underruns: 0, gaps: 0, skips: 0, told_ms: 0,
    latency_sum: 0, latency_count: 0,
  };
}

const aurora = new Aurora(by_id("aurora"), page.play);
const media = new MediaControls({ play, stop });
const controls = new Controls(by_id("controls"), send_change);
const stream = new StreamThread(new URL("ws/stream", location.href.replace(/^http/, "ws")).href, {
  on_message: receive,
  on_state: (state, wait_ms) => {
    retry_in_ms = wait_ms;
    if (state !== "open") controls.forget_changes();
    show_state();
  },
});

// Playing

async function play() {
  if (page.play.getAttribute("aria-pressed") === "true") return;
  const mine = ++session;
  interrupted = false;
  sound = no_sound();
  show_playing(true);
  media.start();
  const opened = await Output.create({
    sample_rate: status?.sample_rate ?? DEFAULT_RATE,
    volume: gain_of_volume(),
    on_report: (report) => { if (mine === session) follow(report); },
    on_interrupted: () => { if (mine === session) show_interrupted(); },
  });
  if (mine !== session) return opened.close();
  output = opened;
  page.notice.hidden = output.mode === "worklet";
  page.notice.textContent =
      "Browsers keep their audio thread to https pages: over plain http the sound may falter while this page is busy.";
  const { port1, port2 } = new MessageChannel();
  output.take_chunks_from(port1);
  stream.open(port2);
  aurora.start(output.analyser);
  setTimeout(() => report_playback(mine), FIRST_REPORT_MS);
}

function stop() {
  ++session;
  stream.close();
  output?.close();
  output = null;
  sound = no_sound();
  aurora.stop();
  media.stop();
  page.notice.hidden = true;
  show_playing(false);
  poll();
}

function toggle() {
  if (page.play.getAttribute("aria-pressed") === "true") stop();
  else play();
}

function show_interrupted() {
  interrupted = true;
  output.resume();
  show_state();
}

// Where playing stands, from the audio thread. The latency: when the frame is heard, by the server's clock, against when
// it was due.
function follow(report) {
  interrupted = false;
  sound.told_ms = local_now_ms();
  sound.underruns = report.underruns;
  sound.gaps = report.gaps;
  sound.skips = report.skips;
  sound.buffer_ms = smoothed(sound.buffer_ms, report.level_ms);
  if (report.position) {
    sound.seq = report.position.seq;
    if (stream.offset_ms !== null) {
      const heard_ms = performance.timeOrigin + output.heard_at_ms(report.context_time) + stream.offset_ms;
      const latency_ms = heard_ms - report.position.due_ms;
      sound.latency_ms = smoothed(sound.latency_ms, latency_ms);
      sound.latency_sum += latency_ms;
      ++sound.latency_count;
    }
  }
  if (sound.playing !== report.playing) {
    sound.playing = report.playing;
    show_state();
  }
}

function smoothed(before, now) {
  return before === null ? now : before + (now - before) * 0.15;
}

function report_playback(mine) {
  if (mine !== session) return;
  setTimeout(() => report_playback(mine), REPORT_INTERVAL_MS);
  const { latency_sum, latency_count, buffer_ms } = sound;
  sound.latency_sum = sound.latency_count = 0;
  if (latency_count === 0 || !is_playing()) return;
  stream.send({
    type: "playback_report", latency_ms: round(latency_sum / latency_count), buffer_ms: round(Math.max(0, buffer_ms)),
  });
}

const round = (ms) => Math.round(ms * 10) / 10;

function is_playing() {
  return sound.playing && local_now_ms() - sound.told_ms < STALE_MS;
}

// The station

const CHANGES = ["update_params", "select_preset"];

function receive(message) {
  if (message.type === "status") follow_status(message);
  else if (message.type === "accepted") controls.accepted(message);
  else if (message.type === "error" && CHANGES.includes(message.in_reply_to)) controls.refused(message.message);
  else if (message.type === "error") console.warn(`refused: ${message.message}`);
}

function follow_status(message) {
  status = message;
  controls.status(message);
  const { parameters, target } = message;
  const title = `${parameters.key} ${parameters.mode} · ${Math.round(parameters.bpm)} bpm`;
  page.now.textContent = title;
  page.next.textContent = "";
  if (["key", "mode", "bpm"].some((name) => parameters[name] !== target[name])) {
    page.next.textContent = `${target.key} ${target.mode} · ${Math.round(target.bpm)} bpm from the next bar`;
  }
  show_listeners(message);
  media.show(title);
}

function show_listeners({ listeners }) {
  page.listeners.textContent = listeners ?? "–";
}

// Over the socket while there is one, else over HTTP: the music can be chosen before it is heard.
async function send_change(message) {
  if (stream.send(message)) return;
  try {
    const answer = await fetch("api/control", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(message),
    });
    const body = await answer.json();
    if (answer.ok) controls.accepted(body);
    else controls.refused(body.message ?? "The change was refused.");
    poll();
  } catch {
    controls.refused("The change could not be sent: the server cannot be reached.");
  }
}

let poll_timer = 0;

// The station's state over HTTP: all of it while no socket tells; else the listeners, whose coming and going it does not.
async function poll() {
  clearTimeout(poll_timer);
  if (document.hidden) return;
  try {
    const answer = await fetch("api/status", { cache: "no-store" });
    const { stations } = await answer.json();
    reachable = true;
    if (stations.length > 0) (stream.state === "closed" ? follow_status : show_listeners)(stations[0]);
  } catch {
    reachable = false;
  }
  show_state();
  clearTimeout(poll_timer);
  poll_timer = setTimeout(poll, stream.state === "closed" && controls.pending ? PENDING_POLL_MS : POLL_MS);
}

async function load_presets() {
  try {
    const answer = await fetch("api/presets");
    controls.show_presets(by_id("presets"), (await answer.json()).presets);
  } catch {
    reachable = false;
  }
  poll();
}

// The displays

function show_playing(wanted) {
  page.play.setAttribute("aria-pressed", String(wanted));
  page.play.setAttribute("aria-label", wanted ? "Stop" : "Play");
  show_state();
}

function show_state() {
  const [name, text] = describe_state();
  document.body.dataset.state = name;
  if (page.state.textContent !== text) page.state.textContent = text;
}

function describe_state() {
  if (stream.state === "waiting") return ["reconnecting", `Connecting again in ${Math.ceil(retry_in_ms / 1000)} s`];
  if (stream.state === "connecting") return ["connecting", "Connecting"];
  if (stream.state === "open") {
    if (interrupted) return ["interrupted", "Paused by the browser"];
    return is_playing() ? ["playing", "Playing"] : ["buffering", "Buffering"];
  }
  if (output || page.play.getAttribute("aria-pressed") === "true") return ["connecting", "Connecting"];
  return reachable ? ["idle", "Ready"] : ["unreachable", "Server not reachable"];
}

setInterval(() => {
  const known = (value) => (value === null || !is_playing() ? "–" : `${Math.round(value)} ms`);
  page.buffer.textContent = known(sound.buffer_ms);
  page.latency.textContent = known(sound.latency_ms);
  show_state();
}, DISPLAY_INTERVAL_MS);

// Volume: the square of the slider is close to how loudness is heard.

const gain_of_volume = () => page.volume.valueAsNumber ** 2;

function restore_volume() {
  try {
    const kept = Number.parseFloat(localStorage.getItem(VOLUME_KEY));
    if (kept >= 0 && kept <= 1) page.volume.value = kept;
  } catch {
    // No storage here: the volume is not remembered.
  }
  show_value(page.volume);
}

page.volume.addEventListener("input", () => {
  show_value(page.volume);
  if (output) output.volume = gain_of_volume();
  try {
    localStorage.setItem(VOLUME_KEY, page.volume.value);
  } catch {
    // As above.
  }
});

page.play.addEventListener("click", toggle);
addEventListener("keydown", (event) => {
  if (event.code !== "Space" || event.repeat || event.target.closest("button, input, select, textarea, a")) return;
  event.preventDefault();
  toggle();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  if (interrupted) output?.resume();
  poll();
});
addEventListener("pointerdown", () => {
  if (interrupted) output?.resume();
});

// For tests and curious operators; reading only.
//   connection   "closed", "connecting", "open" (audio flows) or "waiting" (for the next attempt)
//   playing      whether sound of the station is coming out
//   mode         "worklet" or "scheduled"; null before the first play
//   seq          number of the chunk being played; -1 before the first
//   bufferMs     audio waiting in the player; null when unknown
//   latencyMs    due time to sound card, by the server's clock; null when unknown
//   underruns    times that the player ran dry since play was pressed
//   gaps         chunks that never came, or came as silence, since play was pressed
//   skips        times that the player dropped waiting audio to catch up
//   analyser     the AnalyserNode behind the volume; null while stopped
//   status       the newest status message of the station; null before the first
window.auralis = Object.freeze({
  get connection() { return stream.state; },
  get playing() { return is_playing(); },
  get mode() { return output?.mode ?? null; },
  get seq() { return sound.seq; },
  get bufferMs() { return sound.buffer_ms; },
  get latencyMs() { return sound.latency_ms; },
  get underruns() { return sound.underruns; },
  get gaps() { return sound.gaps; },
  get skips() { return sound.skips; },
  get analyser() { return output?.analyser ?? null; },
  get status() { return status; },
});

restore_volume();
load_presets();
