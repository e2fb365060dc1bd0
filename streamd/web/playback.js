// SPDX-License-Identifier: MIT
// What the listener hears: the sound output and the connection that feeds it. A change of the station connects to the other
// one first, and leaves the present one when that sounds; where it is refused, nothing has happened to what plays.
import { fetch_status } from "./api_client.js";
import { ConnectionThread } from "./connection_thread.js";
import { Output } from "./output.js";
import { Presence } from "./presence.js";
import { CODE_STATION_GONE, why_refused } from "./route.js";
import { Sound } from "./sound.js";
import { name_of } from "./station_choice.js";

const FIRST_REPORT_MS = 2000;
const REPORT_INTERVAL_MS = 5000;
const CHANGE_ATTEMPTS = 3;             // to reach another station while one plays,
const CHANGE_LIMIT_MS = 10000;         // and for how long

export class Playback {
  #url;
  #handlers;
  #thread = new ConnectionThread();
  #session = 0;                        // counts plays, so that what belongs to an earlier one is told apart
  #output = null;                      // while the listener wants sound
  #current = null;                     // the link that is heard,
  #next = null;                        // and the one that shall be
  #wanted = false;
  #route = null;                       // what was asked for last
  #presence = new Presence(() => this.sound.forget_latency());
  #trouble = null;
  #saves_data = false;

  sound = new Sound(this.#presence);   // of the last play

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

  // "closed", or the state of the connection, as connection.js names it.
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
  get analyser() { return this.#output?.analyser ?? null; }

  // Whether sound of the station comes out; not while only silence does.
  get sounding() {
    return this.sound.sounding && this.#flows;
  }

  // Whether only silence comes out, which the server sends for sound that it does not have.
  get silent() {
    return this.sound.playing && !this.sound.sounding && this.#flows;
  }

  // What keeps wanted sound from coming out here, as of Sound.obstacle_of().
  get obstacle() {
    return this.#output && this.sound.obstacle_of(this.#output);
  }

  get #flows() {
    return this.sound.fresh && this.obstacle === null;
  }

  // Within a user's gesture. Ends with false where it was stopped meanwhile, or cannot begin.
  async play(route, { sample_rate, volume }) {
    const mine = ++this.#session;
    this.#wanted = true;
    this.#route = route;
    this.#presence.start();
    this.sound = new Sound(this.#presence);
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
    this.sound = new Sound(this.#presence);
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
    this.sound.change_station();
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
    const answer = taken && !gone ? null : await fetch_status(gone ? null : name_of(asked));
    const dropped = link !== this.#current && link !== this.#next;
    if (dropped || route.query !== asked || link.connection.state === "open") return;
    const status = answer?.status ?? null;
    let why = "later";
    if (gone) why = "unknown";
    else if (!taken) why = why_refused(asked, status, answer?.found ?? false, this.#saves_data);
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
    this.sound.forget_latency();
    this.resume();
    this.#handlers.on_state();
  }

  // Where playing stands, from the audio thread. The latency: when the frame is heard, by the server's clock, against when
  // it was due.
  #follow(report) {
    const changed = this.sound.follow(report);
    const { position, context_time } = report;
    if (position && this.#current) {
      const { route, connection } = this.#current;
      route.heard(position.due_ms);
      const heard_ms = this.#output.heard_at_ms(context_time);
      const { offset_ms } = connection;
      if (offset_ms !== null && !this.sound.measure(position.due_ms, heard_ms, offset_ms)) connection.doubt_time();
    }
    if (changed) this.#handlers.on_state();
  }

  // What is reported was measured by a clock that is still the same afterwards.
  #report_playback(mine) {
    if (mine !== this.#session) return;
    setTimeout(() => this.#report_playback(mine), REPORT_INTERVAL_MS);
    if (this.sound.end_window()) this.#current?.connection.ask_time();
  }

  #follow_time(link, known) {
    if (link !== this.#current) return;
    if (!known) return this.sound.forget_latency();
    const report = this.sound.report();
    if (report && this.obstacle === null) this.send(report);
  }
}
