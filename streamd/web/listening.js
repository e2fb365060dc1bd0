// SPDX-License-Identifier: MIT
// What the listener hears: the sound output and the connection that feeds it. A change of the station connects to the other
// one first, and leaves the present one when that sounds; where it is refused, nothing has happened to what plays.
import { Latency, smoothed } from "./latency.js";
import { Output } from "./output.js";
import { Presence } from "./presence.js";
import { CODE_STATION_GONE, why_refused } from "./route.js";
import { ask_status } from "./server.js";
import { name_of } from "./station_choice.js";
import { StreamThread } from "./stream_thread.js";

const FIRST_REPORT_MS = 2000;
const REPORT_INTERVAL_MS = 5000;
const STALE_MS = 1000;                 // a sound card that says nothing for this long is not playing
const BEGIN_LIMIT_MS = 1000;           // a browser that means to let sound out has done so by then,
const DEVICE_LIMIT_MS = 3000;          // and a device that takes sound has taken some
const SETTLING_MS = 400;               // from one station to another there is a moment without sound
const CHANGE_ATTEMPTS = 3;             // to reach another station while one plays,
const CHANGE_LIMIT_MS = 10000;         // and for how long

const BUFFER_WEIGHT = 0.15;
const SOON_MS = 1000;                  // what the audio thread tells of is heard now, or the report was held up by a suspension

const round = (ms) => Math.round(ms * 10) / 10;

// What the sound card last told: when, by performance.now(), and in attended time.
function no_sound() {
  return {
    playing: false, sounding: false, seq: -1, buffer_ms: null, underruns: 0, gaps: 0, skips: 0,
    told_ms: null, told_attended_ms: null,
  };
}

export class Listening {
  #url;
  #handlers;
  #thread = new StreamThread();
  #session = 0;                        // counts plays, so that what belongs to an earlier one is told apart
  #output = null;                      // while the listener wants sound
  #current = null;                     // the link that is heard,
  #next = null;                        // and the one that shall be
  #wanted = false;
  #route = null;                       // what was asked for last
  #presence = new Presence(() => this.#latency.reset());
  #latency = new Latency();
  #begun_ms = 0;                       // when the output was there, in attended time
  #changed_ms = 0;
  #trouble = null;
  #saves_data = false;

  sound = no_sound();

  // `url`: of /ws/stream. `handlers`:
  //   on_message(message)               of the station that is heard
  //   on_station(route)                 from now on another one is heard
  //   on_state()
  //   on_no_output()                    the browser gives no sound output; nothing is wanted any more
  //   on_refused(route, why, status)    what was asked for cannot be had; what was heard before, if anything, goes on
  //   on_trouble(why)                   what was heard cannot come back for now; null: it is back, or not wanted any more
  // `why` and `status` as of why_refused() in route.js, and "gone": the station was removed.
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
  }

  // "closed", or the state of the connection, as stream.js names it.
  get state() {
    if (!this.#wanted) return "closed";
    return (this.#current ?? this.#next)?.connection.state ?? "connecting";
  }

  get wanted() { return this.#wanted; }
  get retry_in_ms() { return (this.#current ?? this.#next)?.connection.retry_in_ms ?? 0; }
  // Whether another connection shall replace the one that is heard.
  get changing() { return this.#current !== null && this.#next !== null; }
  get mode() { return this.#output?.mode ?? null; }
  get codec() { return this.#current?.connection.codec ?? null; }
  get latency_ms() { return this.#latency.shown_ms; }
  get analyser() { return this.#output?.analyser ?? null; }

  // Whether sound of the station comes out; not while only silence does.
  get sounding() {
    return this.sound.sounding && this.#flows;
  }

  // Whether only silence comes out, which the server sends for sound that it does not have.
  get silent() {
    return this.sound.playing && !this.sound.sounding && this.#flows;
  }

  // What keeps wanted sound from coming out here, whatever the connection: "paused" (the browser has suspended it, or does
  // not let it begin), "no_device" (nothing takes it), or null.
  get obstacle() {
    if (!this.#output) return null;
    const { told_attended_ms } = this.sound;
    const waited_ms = this.#presence.attended_ms - (told_attended_ms ?? this.#begun_ms);
    if (this.#output.suspended) return told_attended_ms !== null || waited_ms > BEGIN_LIMIT_MS ? "paused" : null;
    return waited_ms > DEVICE_LIMIT_MS ? "no_device" : null;
  }

  // Whether the audio thread works.
  get #flows() {
    return this.obstacle === null && performance.now() - this.sound.told_ms < STALE_MS;
  }

  // Within a user's gesture. Ends with false where it was stopped meanwhile, or cannot begin.
  async play(route, { sample_rate, volume }) {
    const mine = ++this.#session;
    this.#wanted = true;
    this.#route = route;
    this.sound = no_sound();
    this.#presence.start();
    this.#handlers.on_state();
    const output = await Output.create({
      sample_rate, volume,
      on_report: (report) => { if (mine === this.#session) this.#follow(report); },
      on_change: () => { if (mine === this.#session) this.#follow_output(); },
    }).catch(() => null);
    if (mine !== this.#session) {
      output?.close();
      return false;
    }
    if (!output) {
      this.stop();
      this.#handlers.on_no_output();
      return false;
    }
    this.#output = output;
    this.#begun_ms = this.#presence.attended_ms;
    this.#connect(this.#route);
    setTimeout(() => this.#report_playback(mine), FIRST_REPORT_MS);
    return true;
  }

  // Towards another station, while one is wanted.
  change(route) {
    this.#route = route;
    if (this.#output) this.#connect(route);
  }

  // Sound that takes less data is wanted, or lossless sound: from the next connection on, which replaces the present one.
  set saves_data(saves_data) {
    if (saves_data === this.#saves_data) return;
    this.#saves_data = saves_data;
    if (this.#output) this.#connect(this.#route);
  }

  // With what is heard; a change under way is given up.
  stay() {
    if (!this.#current) return;
    this.#drop_next();
    this.#route = this.#current.route;
    this.#handlers.on_state();
  }

  stop() {
    ++this.#session;
    this.#wanted = false;
    this.#drop_next();
    this.#current?.connection.close();
    this.#current = null;
    this.#output?.close();
    this.#output = null;
    this.sound = no_sound();
    this.#latency.reset();
    this.#presence.stop();
    this.#be_troubled(null);
    this.#handlers.on_state();
  }

  // Returns whether there is a connection to send it on.
  send(message) {
    return this.#current?.connection.send(message) ?? false;
  }

  // Asks the browser to let the sound out again, if it does not.
  resume() {
    if (this.#output?.suspended) this.#output.resume();
  }

  // Does not wait for the next attempt to connect.
  retry_now() {
    (this.#current ?? this.#next)?.connection.retry_now();
  }

  set volume(gain) {
    if (this.#output) this.#output.volume = gain;
  }

  #connect(route) {
    this.#drop_next();
    const { port1, port2 } = new MessageChannel();
    const link = { route, chunks: port1, heard: false, status: null, attempts: 0, connection: null, limit: null };
    const format = { output_rate: this.#output.sample_rate, saves_data: this.#saves_data };
    link.connection = this.#thread.connect(this.#url_of(route), port2, format, {
      on_message: (message) => this.#receive(link, message),
      on_state: (state, loss) => this.#follow_state(link, state, loss),
      on_time: (known) => this.#follow_time(link, known),
    });
    if (this.#current) link.limit = this.#presence.after(CHANGE_LIMIT_MS, () => this.#refuse(link, "later", null));
    this.#next = link;
    this.#handlers.on_state();
  }

  #url_of(route) {
    const url = new URL(this.#url);
    url.search = route.query;
    return url.href;
  }

  #drop_next() {
    if (!this.#next) return;
    this.#next.limit?.cancel();
    this.#next.connection.close();
    this.#next = null;
  }

  #receive(link, message) {
    if (message.type === "status") {
      link.route.joined(message);
      link.connection.redirect(this.#url_of(link.route));
      link.status = message;
    }
    if (link === this.#current) this.#handlers.on_message(message);
  }

  #follow_state(link, state, loss) {
    if (state === "open") {
      if (link === this.#next) this.#take_next();
      this.#be_troubled(null);
    } else if (state === "waiting") {
      this.#find_way(link, loss);
    }
    this.#handlers.on_state();
  }

  // It sounds: what was heard before is left.
  #take_next() {
    const link = this.#next;
    link.limit?.cancel();
    this.#current?.connection.close();
    this.#current = link;
    this.#next = null;
    link.heard = true;
    this.#changed_ms = performance.now();
    this.#latency.reset();
    this.#output.take_chunks_from(link.chunks);
    this.#handlers.on_station(link.route);
    if (link.status) this.#handlers.on_message(link.status);
  }

  // A connection broke, or did not come about; the next attempt is some tenths of a second away.
  async #find_way(link, { code, taken, newest_due_ms }) {
    const { route } = link;
    if (newest_due_ms !== null) route.heard(newest_due_ms);
    const asked = route.query;
    const gone = code === CODE_STATION_GONE;
    const answer = taken && !gone ? null : await ask_status(gone ? null : name_of(asked));
    const dropped = link !== this.#current && link !== this.#next;
    if (dropped || route.query !== asked || link.connection.state === "open") return;
    const status = answer?.status ?? null;
    let why = "later";
    if (gone) why = "unknown";
    else if (!taken) why = why_refused(asked, status, answer?.found ?? false);
    if (why === "unknown") {
      if (!route.gone()) return this.#refuse(link, link.heard ? "gone" : "unknown", status);
      link.connection.redirect(this.#url_of(route));
    } else if (why === "other_format") {
      return this.#refuse(link, why, status);
    } else if (link.heard) {
      this.#be_troubled(why === "later" ? null : why);
    } else if (why !== "later" || (this.#current && ++link.attempts >= CHANGE_ATTEMPTS)) {
      this.#refuse(link, why, status);
    }
  }

  #be_troubled(why) {
    if (why === this.#trouble) return;
    this.#trouble = why;
    this.#handlers.on_trouble(why);
  }

  #refuse(link, why, status) {
    if (link === this.#next) {
      this.#drop_next();
    } else {
      this.#current.connection.close();
      this.#current = null;
    }
    if (!this.#current && !this.#next) this.stop();
    this.#handlers.on_refused(link.route, why, status);
  }

  #follow_output() {
    this.#latency.reset();
    this.resume();
    this.#handlers.on_state();
  }

  // Where playing stands, from the audio thread. The latency: when the frame is heard, by the server's clock, against when
  // it was due.
  #follow(report) {
    const { sound } = this;
    sound.told_ms = performance.now();
    sound.told_attended_ms = this.#presence.attended_ms;
    sound.underruns = report.underruns;
    sound.gaps = report.gaps;
    sound.skips = report.skips;
    sound.buffer_ms = smoothed(sound.buffer_ms, report.level_ms, BUFFER_WEIGHT);
    if (report.position) this.#follow_position(report);
    sound.playing = report.playing;
    const settling = !report.sounding && sound.told_ms - this.#changed_ms < SETTLING_MS;
    if (sound.sounding !== report.sounding && !settling) {
      sound.sounding = report.sounding;
      this.#handlers.on_state();
    }
  }

  #follow_position({ position, context_time }) {
    this.sound.seq = position.seq;
    this.#current?.route.heard(position.due_ms);
    const offset_ms = this.#current?.connection.offset_ms ?? null;
    if (offset_ms === null) return;
    const heard_ms = this.#output.heard_at_ms(context_time);
    if (Math.abs(heard_ms - performance.now()) > SOON_MS) return;
    if (!this.#latency.add(heard_ms + offset_ms - position.due_ms)) this.#current.connection.doubt_time();
  }

  // What is reported was measured by a clock that is still the same afterwards.
  #report_playback(mine) {
    if (mine !== this.#session) return;
    setTimeout(() => this.#report_playback(mine), REPORT_INTERVAL_MS);
    if (this.#latency.end_window()) this.#current?.connection.ask_time();
  }

  #follow_time(link, known) {
    if (link !== this.#current) return;
    if (!known) return this.#latency.reset();
    const latency_ms = this.#latency.confirm();
    if (latency_ms === null || !this.sound.playing || !this.#flows) return;
    const buffer_ms = Math.max(0, this.sound.buffer_ms);
    this.send({ type: "playback_report", latency_ms: round(latency_ms), buffer_ms: round(buffer_ms) });
  }
}
