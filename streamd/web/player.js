// SPDX-License-Identifier: MIT
// The page: connects playback (playback.js), the choice of places, the controls and the displays.
import { AddressBar } from "./address_bar.js";
import { fetch_status, post_change } from "./api_client.js";
import { Aurora } from "./aurora.js";
import { Controls } from "./controls.js";
import { Download } from "./download.js";
import { expose } from "./inspection.js";
import { listen_to_keys, rest_in_full_screen, toggle_full_screen } from "./keys.js";
import { MediaControls } from "./media_session.js";
import { Moments } from "./moments.js";
import { hue_of, music_in_words } from "./music_words.js";
import { can_decode_opus } from "./opus_decoder.js";
import { last_own, own_entry, remember_own } from "./own_memory.js";
import { OwnStation } from "./own_station.js";
import { Places } from "./places.js";
import { Playback } from "./playback.js";
import { Quality } from "./quality.js";
import { Recorder } from "./recorder.js";
import { Route } from "./route.js";
import { Share } from "./share.js";
import { SleepTimer } from "./sleep_timer.js";
import { SoundDisplay } from "./sound_display.js";
import { StateDisplay } from "./state_display.js";
import {
  address_of, choice_of_permalink, is_own, name_of, own_station, refusal_in_words, refusal_of_change, trouble_in_words, default_of, DEFAULT,
} from "./station_choice.js";
import { StationDisplay } from "./station_display.js";
import { show_text, text, translate } from "./strings.js";
import { Volume } from "./volume.js";

const DISPLAY_INTERVAL_MS = 500;
const POLL_MS = 5000;                  // how often the stations are requested over HTTP,
const PENDING_POLL_MS = 700;           // while a change made over HTTP is not in force yet,
const CHANGED_POLL_MS = 1000;          // and after a change of a personal station, whose permalink changes then
const OWN_ENDS_MS = 10000;             // a personal station ends this long after it was left, by wall time

translate();
const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));

const address_bar = new AddressBar(visit);
let route = address_bar.route();       // to the chosen station,
let pending = null;                    // and to the one that replaces it once it plays
let status = null;                     // newest status of the chosen station
let permalink = null;                  // of a personal station, as first received
let left_ms = null;                    // when a personal station was stopped, by performance.now()
let server = null;                     // the newest body of GET /api/status
let reachable = true;
let changeable = true;                 // whether the listener may change the chosen station now

const aurora = new Aurora(page.aurora, page.play);
const media = new MediaControls({ play, stop });
const state_display = new StateDisplay(page.play, page.state, media);
const station_display = new StationDisplay(page);
const sound_display = new SoundDisplay(page);
const places = new Places(page.places, { choose, choose_own, choose_preset });
const controls = new Controls(page.controls, places.preset_cards, {
  send: send_change, on_near: (near) => { playback.near = near; },
});
const volume = new Volume(page.volume, apply_volume);
const sleep_timer = new SleepTimer(page.sleep, page.sleep_left, { on_gain: apply_volume, on_end: stop });
const quality = new Quality(page.quality, new URLSearchParams(location.search).get("format"), change_quality);
const own = new OwnStation(page.own, start_own);
const share = new Share(page, { find_link, say });
new Moments(page, { find: find_moment, start: start_own, say });
const download = new Download(page.download, { find: find_moment, say });
const playback = new Playback(new URL("ws/stream", location.href.replace(/^http/, "ws")), {
  on_message: receive,
  on_station: select_station,
  on_refused: handle_refusal,
  on_missing: (what) => {
    show_stopped();
    say(text(what));
  },
  on_trouble: (why) => say(why ? trouble_in_words(why) : ""),
  on_state: () => {
    if (playback.state !== "open") controls.forget_changes();
    show_state();
  },
});

const recorder = new Recorder(page, () => playback.output);

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

const gain = () => volume.gain * sleep_timer.gain;

function apply_volume() {
  playback.volume = gain();
}

async function begin() {
  if (left_ms !== null && performance.now() - left_ms > OWN_ENDS_MS) route.gone();
  left_ms = null;
  media.start();
  playback.quality = quality.choice;
  const begun = playback.play(route, { sample_rate: quality.sample_rate_for(status), volume: gain() });
  show_choice();
  if (!await begun) return;
  // Only now, so that it takes nothing from the first visit's line.
  navigator.serviceWorker?.register("service_worker.js").catch(() => {});
  page.notice.hidden = playback.mode === "worklet";
  show_text(page.notice, text(isSecureContext ? "by_browser" : "other_way"));
  aurora.start(playback.analyser);
}

function stop() {
  pending = null;
  recorder.stop();
  playback.stop();
  show_stopped();
}

function show_stopped() {
  aurora.stop();
  media.stop();
  page.notice.hidden = true;
  if (route.personal) {
    left_ms = performance.now();
    remember_own(route, status);
    station_display.show_listeners(null);
  }
  show_choice();
  poll_in(0);
}

function toggle() {
  say("");
  if (playback.wanted && playback.obstacle === null) stop();
  else play();
}

// What plays by an <audio> element, and what does not, begins again.
function change_quality() {
  const other_way = (quality.choice === "audio") !== (playback.quality === "audio");
  if (other_way && playback.wanted) {
    if (pending) select_station(pending);
    playback.stop();
    begin();
  } else {
    playback.quality = quality.choice;
  }
}

// Choosing a place

// `choice`: as in station_choice.js.
function choose(choice) {
  say("");
  if (name_of(choice) !== null && name_of(choice) === status?.station) stay();
  else go_to(new Route(choice));
}

// The personal station that is chosen already, or else the one heard last.
function choose_own() {
  say("");
  const memory = last_own();
  if (route.personal || !memory) stay();
  else go_to(new Route(memory.moment, memory));
}

// A closed station cannot be changed: a station of its own begins instead.
function choose_preset(name) {
  say("");
  if (!changeable) return start_own(own_station({ preset: name }));
  stay();
  controls.select(name);
}

function stay() {
  pending = null;
  playback.cancel_change();
  play();
  show_choice();
}

function go_to(chosen) {
  if (playback.wanted) {
    resume_output();
    pending = chosen;
    playback.change(pending);
  } else {
    select_station(chosen);
    play();
  }
  show_choice();
}

// Starts at once if the last status had room: some browsers allow sound only within the user gesture.
async function start_own(choice) {
  if (pending?.choice === choice) return;
  if (server?.places.free === 0) server = (await fetch_status())?.status ?? server;
  if (server?.ready && server.places.free === 0) return say(refusal_in_words("no_place", choice));
  say("");
  go_to(new Route(choice));
}

// Makes this the chosen station, with an entry of its own in the page's history.
function select_station(chosen) {
  if (chosen !== route) {
    status = permalink = null;
    controls.leave_station();
    address_bar.add(chosen);
  }
  route = chosen;
  pending = left_ms = null;
  show_choice();
  poll_in(0);
}

function visit(chosen) {
  say("");
  if (playback.wanted) go_to(chosen);
  else select_station(chosen);
}

function handle_refusal(refused, why, body) {
  if (pending === refused) pending = null;
  const sentence = refused === route && playback.wanted ?
    text("quality_unchanged") : refusal_in_words(why, refused.query, body ?? server);
  const lost = why === "unknown" || why === "gone";
  // The chosen station no longer exists: offers the default one.
  if (lost && !playback.wanted) select_station(address_bar.replacing(new Route(DEFAULT)));
  say(lost && !playback.wanted ? text("press_for_default", sentence) : sentence);
  if (playback.wanted) show_choice();
  else show_stopped();
}

// Returns { choice, title, chunk_ms }: the choice that plays from the moment that is heard now, what plays, and the length of a chunk;
// null if there is none.
async function find_moment() {
  const [asked, heard] = [route, status];
  const plays = heard && (playback.wanted || !asked.personal);
  const answer = plays ? await fetch_status(heard.station) : null;
  if (!heard || asked !== route) return null;
  const choice = answer?.station ? choice_of_permalink(answer.station.permalink) : asked.personal ? asked.moment : null;
  return choice && { choice, title: music_in_words(heard), chunk_ms: heard.chunk_ms };
}

async function find_link() {
  const choice = (await find_moment())?.choice ?? (route.personal ? route.moment : null);
  return choice && address_of(choice, location.href);
}

// The station

function receive(message) {
  if (message.type === "status") apply_status(message);
  else if (message.type === "accepted") controls.accepted(message);
  else if (message.type === "taken_back") controls.taken_back({ ...message, message: text("taken_back") });
  else if (message.type === "warning" && message.code === "stepped_down") say(text("stepped_down"));
  else if (message.type === "error" && ["update_params", "select_preset"].includes(message.in_reply_to)) controls.refused(refusal_of_change(message));
  else if (message.type === "error") console.warn(`refused: ${message.message}`);
}

function apply_status(message) {
  status = message;
  controls.status(message);
  station_display.show_status(message);
  station_display.show_listeners(message.listeners ?? null);
  show_choice();
  aurora.hue = hue_of(message.target);
  media.show(music_in_words(message));
  if (message.personal && playback.state !== "closed") poll_in(CHANGED_POLL_MS);
}

// Sends over the socket if it is open, else over HTTP: the music can be changed before it is heard.
async function send_change(message) {
  if (playback.send(message)) return;
  const station = status?.station ?? route.name ?? name_of(route.choice);
  if (!station && route.choice !== DEFAULT) return controls.refused(text("not_ready"));
  const answer = await post_change(message, station);
  if (answer?.ok) controls.accepted(answer.body);
  else controls.refused(answer ? refusal_of_change(answer.body) : text("change_not_sent"));
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
  const answer = await fetch_status(name, !places.has_presets);
  reachable = answer !== null;
  if (answer?.status.presets) show_presets(answer.status.presets);
  if (!reachable && playback.state !== "open") station_display.show_listeners(null);
  if (!playback.wanted && controls.pending) poll_in(PENDING_POLL_MS);
  else poll_in(POLL_MS);
  if (answer && asked === route) apply_server_status(answer, name);
  show_state();
}

// Applies the whole status of the chosen station without a socket; else only its listeners, which the socket does not report.
function apply_server_status({ status: body, found, station }, name) {
  server = body;
  download.minutes = body.download_minutes ?? 0;
  const reported = station ?? (route.choice === DEFAULT ? default_of(server.stations) : null);
  if (reported?.personal) {
    permalink ??= reported.permalink;
    route.remember(reported);
    remember_own(route, status);
  }
  if (reported && playback.state === "closed") apply_status(reported);
  else if (reported) station_display.show_listeners(reported.listeners ?? null);
  else if (name !== null && !found && !playback.wanted && server.stations.length > 0) handle_refusal(route, "unknown", server);
  show_choice();
}

function show_presets(presets) {
  if (places.has_presets) return;
  places.presets = presets;
  own.show_presets(presets);
}

function show_choice() {
  if (server) own.show(server);
  own.busy = pending !== null && is_own(pending.choice);
  places.show(server?.stations ?? [], {
    current: route.personal ? null : status?.station ?? station_of(route.choice),
    pending: pending ? station_of(pending.choice) : undefined, own: own_entry(route, status),
  });
  if (!status) station_display.show_unheard(route);
  const { personal } = route;
  const silent = personal && !playback.wanted;
  const closed = status !== null && !status.open;
  controls.enabled = changeable = station_display.show_changeable({ personal, silent, closed, own_offered: own.offered });
  address_bar.show(route, pending, { status, permalink, format: quality.asked });
}

// The name of a choice's station, as far as it is known: "" else; null for an own one.
function station_of(choice) {
  return is_own(choice) ? null : name_of(choice) ?? default_of(server?.stations ?? [])?.station ?? "";
}

function say(sentence) {
  show_text(page.sentence, sentence);
}

function show_state() {
  state_display.show(playback, reachable);
  quality.show(playback.codec, playback.changing);
}

setInterval(() => {
  sound_display.show(playback);
  recorder.show();
  show_state();
}, DISPLAY_INTERVAL_MS);

page.play.addEventListener("click", toggle);
page.to_own.addEventListener("click", () => own.focus());
rest_in_full_screen();
listen_to_keys({
  " ": toggle, arrowright: () => volume.step(1), arrowleft: () => volume.step(-1), m: () => volume.toggle_mute(),
  f: toggle_full_screen, s: () => share.share(), "?": () => page.help.showModal(),
}, page.letters);
for (const event of ["online", "offline"]) addEventListener(event, () => poll_in(0));
addEventListener("pagehide", () => remember_own(route, status));
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

expose(playback, () => status);
show_choice();
can_decode_opus().then((can) => { quality.can_opus = can; });
sleep_timer.restore();
poll();
