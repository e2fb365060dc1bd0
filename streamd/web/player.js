// SPDX-License-Identifier: MIT
// The page: connects playback (playback.js), the choice of stations, the controls and the displays.
import { fetch_presets, fetch_status, post_change } from "./api_client.js";
import { Aurora } from "./aurora.js";
import { Controls } from "./controls.js";
import { MediaControls } from "./media_session.js";
import { can_decode_opus, OPUS_RATE } from "./opus_decoder.js";
import { OwnStation } from "./own_station.js";
import { Playback } from "./playback.js";
import { Quality } from "./quality.js";
import { Route } from "./route.js";
import { Share } from "./share.js";
import { StateDisplay } from "./state_display.js";
import {
  address_of, choice_of, choice_of_permalink, is_own, music_in_words, name_of, refusal_in_words, shown_choice,
  trouble_in_words, unheard_in_words, default_of, DEFAULT,
} from "./station_choice.js";
import { StationList } from "./station_list.js";
import { Volume } from "./volume.js";

const DEFAULT_RATE = 44100;
const DISPLAY_INTERVAL_MS = 500;
const POLL_MS = 5000;                  // how often the stations are requested over HTTP,
const PENDING_POLL_MS = 700;           // while a change made over HTTP is not in force yet,
const CHANGED_POLL_MS = 1000;          // and after a change of a personal station, whose permalink changes then
const NEAR_MS = 10000;                 // a listener who has changed the music may change it again so soon
const OWN_ENDS_MS = 10000;             // a personal station ends this long after it was left, by wall time

const by_id = (id) => document.getElementById(id);
const page = {
  play: by_id("play"), now: by_id("now"), next: by_id("next"), state: by_id("state"), buffer: by_id("buffer"),
  latency: by_id("latency"), listeners: by_id("listeners"), sentence: by_id("sentence"), notice: by_id("notice"),
  closed: by_id("closed"), closed_why: by_id("closed_why"), to_own: by_id("to_own"), shared: by_id("shared"),
};

let route = new Route(choice_of(location.search));  // to the chosen station,
let pending = null;                    // and to the one that replaces it once it plays
let status = null;                     // newest status of the chosen station
let permalink = null;                  // of a personal station, as first received
let left_ms = null;                    // when a personal station was stopped, by performance.now()
let server = null;                     // the newest body of GET /api/status
let reachable = true;

const aurora = new Aurora(by_id("aurora"), page.play);
const media = new MediaControls({ play, stop });
const state_display = new StateDisplay(page.play, page.state, media);
const controls = new Controls(by_id("controls"), send_change, hear_changes_soon);
const volume = new Volume(by_id("volume"), (gain) => { playback.volume = gain; });
const quality = new Quality(by_id("quality"), new URLSearchParams(location.search).get("format"), () => { playback.quality = quality.choice; });
const list = new StationList(by_id("stations"), by_id("stations_title"), choose);
const own = new OwnStation(by_id("own"), start_own);
const share = new Share(by_id("share"), by_id("link"), { find_link, say });
const playback = new Playback(new URL("ws/stream", location.href.replace(/^http/, "ws")), {
  on_message: receive,
  on_station: select_station,
  on_refused: handle_refusal,
  on_no_output: () => {
    show_stopped();
    say("This browser provides no sound output. Press play to try again.");
  },
  on_trouble: (why) => say(why ? trouble_in_words(why) : ""),
  on_state: () => {
    if (playback.state !== "open") controls.forget_changes();
    show_state();
  },
});

// Playing

// Starts playback, or retries everything that may help if it was started already.
function play() {
  if (!playback.wanted) return begin();
  if (playback.obstacle === "no_device") {
    pending = null;
    playback.stop();
    return begin();
  }
  resume_output();
  playback.retry_now();
}

// Resumes what the browser has paused; called on any activity of the listener.
function resume_output() {
  if (!playback.wanted) return;
  media.start();
  playback.resume();
}

async function begin() {
  if (left_ms !== null && performance.now() - left_ms > OWN_ENDS_MS) route.gone();
  left_ms = null;
  media.start();
  playback.quality = quality.choice;
  const sample_rate = quality.choice === "pcm" ? status?.sample_rate ?? DEFAULT_RATE : OPUS_RATE;
  const begun = playback.play(route, { sample_rate, volume: volume.gain });
  show_choice();
  if (!await begun) return;
  page.notice.hidden = playback.mode === "worklet";
  page.notice.textContent =
      "Browsers offer their audio thread only to https pages: over plain http the sound may stutter while this page is busy.";
  aurora.start(playback.analyser);
}

function stop() {
  pending = null;
  playback.stop();
  show_stopped();
}

function show_stopped() {
  aurora.stop();
  media.stop();
  page.notice.hidden = true;
  if (route.personal) {
    left_ms = performance.now();
    show_listeners({});
  }
  show_choice();
  poll_in(0);
}

function toggle() {
  say("");
  if (playback.wanted && playback.obstacle === null) stop();
  else play();
}

// Choosing a station

// `choice`: as in station_choice.js; null for the personal station that is already chosen.
function choose(choice) {
  say("");
  if (choice === null || name_of(choice) === status?.station) {
    pending = null;
    playback.cancel_change();
    play();
  } else if (playback.wanted) {
    resume_output();
    pending = new Route(choice);
    playback.change(pending);
  } else {
    select_station(new Route(choice));
    play();
  }
  show_choice();
}

// Starts at once if the last status had room: some browsers allow sound only within the user gesture.
async function start_own(choice) {
  if (pending && is_own(pending.choice)) return;
  if (server?.places.free === 0) server = (await fetch_status())?.status ?? server;
  if (server?.ready && server.places.free === 0) say(refusal_in_words("no_place", choice));
  else choose(choice);
}

// Makes this the chosen station.
function select_station(chosen) {
  if (chosen !== route) {
    status = permalink = null;
    controls.leave_station();
  }
  route = chosen;
  pending = left_ms = null;
  share.hide();
  show_choice();
  poll_in(0);
}

function handle_refusal(refused, why, body) {
  if (pending === refused) pending = null;
  const sentence = refused === route && playback.wanted ?
    "The sound quality could not be changed; playback continues." : refusal_in_words(why, refused.query, body ?? server);
  const lost = why === "unknown" || why === "gone";
  // The chosen station no longer exists: offers the default one.
  if (lost && !playback.wanted) select_station(new Route(DEFAULT));
  say(lost && !playback.wanted ? `${sentence} Press play for the default station.` : sentence);
  if (playback.wanted) show_choice();
  else show_stopped();
}

// Returns a link to the moment that is heard now.
async function find_link() {
  const plays = status && (playback.wanted || !route.personal);
  const answer = plays ? await fetch_status(status.station) : null;
  if (answer?.station) return address_of(choice_of_permalink(answer.station.permalink), location.href);
  return route.personal ? address_of(route.moment, location.href) : null;
}

// The station

const CHANGES = ["update_params", "select_preset"];

function receive(message) {
  if (message.type === "status") apply_status(message);
  else if (message.type === "accepted") controls.accepted(message);
  else if (message.type === "taken_back") controls.taken_back(message);
  else if (message.type === "warning" && message.code === "stepped_down") say(message.message);
  else if (message.type === "error" && CHANGES.includes(message.in_reply_to)) controls.refused(message.message);
  else if (message.type === "error") console.warn(`refused: ${message.message}`);
}

function apply_status(message) {
  status = message;
  controls.status(message);
  const { parameters, target } = message;
  const title = `${parameters.key} ${parameters.mode} · ${Math.round(parameters.bpm)} bpm`;
  show_text(page.now, title);
  page.next.textContent = "";
  if (["key", "mode", "bpm"].some((name) => parameters[name] !== target[name])) {
    page.next.textContent = `${target.key} ${target.mode} · ${Math.round(target.bpm)} bpm from the next bar`;
  }
  show_listeners(message);
  show_choice();
  media.show(title);
  if (message.personal && playback.state !== "closed") poll_in(CHANGED_POLL_MS);
}

function show_listeners({ listeners }) {
  page.listeners.textContent = listeners ?? "–";
}

let near_timer = 0;

// While the listener changes the music little of it is buffered.
function hear_changes_soon() {
  playback.near = true;
  clearTimeout(near_timer);
  near_timer = setTimeout(() => { playback.near = false; }, NEAR_MS);
}

// Sends over the socket if it is open, else over HTTP: the music can be changed before it is heard.
async function send_change(message) {
  if (playback.send(message)) return;
  const answer = await post_change(message, status?.station);
  if (answer?.ok) controls.accepted(answer.body);
  else controls.refused(answer?.body.message ?? "The change could not be sent: the server cannot be reached.");
  poll_in(0);
}

let poll_timer = 0;

function poll_in(ms) {
  clearTimeout(poll_timer);
  poll_timer = setTimeout(poll, ms);
}

// Requests the stations over HTTP; also for a hidden page if a personal station plays, whose position is remembered.
async function poll() {
  if (document.hidden && !(route.personal && playback.wanted)) return;
  const asked = route;
  const name = left_ms === null ? status?.station ?? name_of(route.choice) : null;
  const answer = await fetch_status(name);
  reachable = answer !== null;
  if (!reachable && playback.state !== "open") show_listeners({});
  if (!playback.wanted && controls.pending) poll_in(PENDING_POLL_MS);
  else poll_in(POLL_MS);
  if (answer && asked === route) apply_server_status(answer, name);
  show_state();
}

// Applies the whole status of the chosen station without a socket; else only its listeners, which the socket does not report.
function apply_server_status({ status: body, found, station }, name) {
  server = body;
  const reported = station ?? (route.choice === DEFAULT ? default_of(server.stations) : null);
  if (reported?.personal) {
    permalink ??= reported.permalink;
    route.remember(reported);
  }
  if (reported && playback.state === "closed") apply_status(reported);
  else if (reported) show_listeners(reported);
  else if (name !== null && !found && !playback.wanted && server.stations.length > 0) handle_refusal(route, "unknown", server);
  show_choice();
}

async function load_presets() {
  const presets = await fetch_presets();
  if (!presets) return setTimeout(load_presets, POLL_MS);
  controls.show_presets(by_id("presets"), presets);
  own.show_presets(presets);
}

// The displays

function show_choice() {
  if (server) own.show(server);
  own.busy = pending !== null && is_own(pending.choice);
  const current = route.personal ? null : status?.station ?? name_of(route.choice);
  list.show(server?.stations ?? [], {
    current, pending: pending ? name_of(pending.choice) : undefined,
    own: route.personal ? (status ? music_in_words(status) : "Not heard yet") : null,
  });
  if (!status && is_own(route.choice)) {
    const [title, hint] = unheard_in_words(route.choice);
    show_text(page.now, title);
    page.next.textContent = hint;
  }
  show_changeable();
  const address = address_of(shown_choice(route.choice, status, permalink), location.href, quality.asked);
  if (address !== location.href) history.replaceState(null, "", address);
}

// Shows whether the listener may change the music, and who hears the changes.
function show_changeable() {
  const silent = route.personal && !playback.wanted;
  const closed = status !== null && !status.open;
  controls.enabled = !silent && !closed;
  page.closed.hidden = !silent && !closed;
  page.to_own.hidden = silent || !own.offered;
  show_text(page.closed_why, silent ? "Your station can be changed while it plays." :
      "This station is closed: listeners cannot change it.");
  page.shared.hidden = silent || closed;
  show_text(page.shared, route.personal ? "This is your own station: no other listener hears the changes." :
      "Everyone who listens to this station hears the changes.");
}

// Screen readers announce each assignment, so unchanged text is left alone.
function show_text(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function say(sentence) {
  show_text(page.sentence, sentence);
}

function show_state() {
  state_display.show(playback, reachable);
  quality.show(playback.codec, playback.changing);
}

setInterval(() => {
  // A sound card's clock is no more precise than that: heard before it was due is heard at once.
  const known = (value) => (value === null || !playback.sounding ? "–" : `${Math.max(0, Math.round(value))} ms`);
  page.buffer.textContent = known(playback.sound.buffer_ms);
  page.latency.textContent = known(playback.sound.latency_ms);
  show_state();
}, DISPLAY_INTERVAL_MS);

page.play.addEventListener("click", toggle);
page.to_own.addEventListener("click", () => own.focus());
addEventListener("keydown", (event) => {
  if (event.code !== "Space" || event.repeat || event.target.closest("button, input, select, textarea, a, summary")) return;
  event.preventDefault();
  toggle();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  resume_output();
  playback.retry_now();
  poll_in(0);
});
// The play button acts on release, on the state it showed when it was pressed.
addEventListener("pointerdown", (event) => {
  if (!page.play.contains(event.target)) resume_output();
});

// For tests and operators; read-only.
//   connection   "closed", "connecting", "open" (audio flows) or "waiting" (for the next attempt)
//   playing      whether the station's music is audible
//   mode         "worklet" or "scheduled"; null before the first play
//   codec        "pcm" or "opus", as received; null without a stream
//   seq          number of the chunk being played; -1 before the first
//   bufferMs     audio buffered in the player; null when unknown
//   latencyMs    due time to sound card, by the server's clock; null when unknown
//   underruns    how often the player ran dry since play was pressed
//   gaps         chunks that never came, or came as silence, since play was pressed
//   skips        how often the player dropped buffered audio to catch up
//   analyser     the AnalyserNode behind the volume; null while stopped
//   status       the newest status message of the chosen station; null before the first
window.auralis = Object.freeze({
  get connection() { return playback.state; },
  get playing() { return playback.sounding; },
  get mode() { return playback.mode; },
  get codec() { return playback.codec; },
  get seq() { return playback.sound.seq; },
  get bufferMs() { return playback.sound.buffer_ms; },
  get latencyMs() { return playback.sound.latency_ms; },
  get underruns() { return playback.sound.underruns; },
  get gaps() { return playback.sound.gaps; },
  get skips() { return playback.sound.skips; },
  get analyser() { return playback.analyser; },
  get status() { return status; },
});

show_choice();
can_decode_opus().then((can) => { quality.offered = can; });
load_presets();
poll();
