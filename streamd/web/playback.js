// SPDX-License-Identifier: MIT
// Playback for the listener: the sound output and the connection that feeds it. A change of station connects to the new
// one first, and drops the current one when the new one plays; a refused change does not affect the sound.
import { fetch_status } from "./api_client.js";
import { PCM } from "./connection.js";
import { ConnectionThread } from "./connection_thread.js";
import { LEAST_OPUS_KBIT_S, LineTrial } from "./line_trial.js";
import { Output } from "./output.js";
import { Presence } from "./presence.js";
import { CODE_STATION_GONE, why_refused } from "./route.js";
import { Sound } from "./sound.js";
import { name_of } from "./station_choice.js";

const FIRST_REPORT_MS = 2000;
const REPORT_INTERVAL_MS = 5000;
const CHANGE_REFUSED_MS = 1500;        // for so long another station may be refused while one plays,
const CHANGE_LIMIT_MS = 10000;         // and so long it may take

export class Playback {
  #url;
  #handlers;
  #thread = new ConnectionThread((fault) => this.#fail(fault));
  #session = 0;                        // counts plays, to recognise callbacks of an earlier one
  #output = null;                      // while the listener wants playback; not at once
  #format = null;                      // { sample_rate, mode } of the output, also of one that is not there yet
  #current = null;                     // the link that is heard,
  #next = null;                        // and the one to replace it
  #wanted = false;
  #route = null;                       // as last requested
  #presence = new Presence(() => this.sound.forget_latency());
  #trouble = null;
  #quality = "auto";
  #line_trial = null;                  // of "auto": whether the line carries PCM

  sound = new Sound(this.#presence);   // of the latest play

  // `url`: of /ws/stream. `handlers`:
  //   on_message(message)               from the station that is heard
  //   on_station(route)                 another station is heard from now on
  //   on_state()
  //   on_missing(what)                  playback has stopped, since the browser lacks what it needs: "no_output", "no_thread" or
  //                                     "no_socket"
  //   on_refused(route, why, status)    the request was refused; what was heard before, if anything, continues
  //   on_trouble(why)                   playback cannot resume for now; null: it has resumed or was stopped
  // `why` and `status` as in why_refused() of route.js; also "gone": the station was removed.
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
  }

  // "closed", or the state of the connection as named in connection.js.
  get state() {
    if (!this.#wanted) return "closed";
    return (this.#current ?? this.#next)?.connection.state ?? "connecting";
  }

  get wanted() { return this.#wanted; }
  get retry_in_ms() { return (this.#current ?? this.#next)?.connection.retry_in_ms ?? 0; }
  // Whether another connection is about to replace the one that is heard.
  get changing() { return this.#current !== null && this.#next !== null; }
  // The Output; null while stopped, and until it is there.
  get output() { return this.#output; }
  get mode() { return this.#output?.mode ?? null; }
  get codec() { return this.#current?.connection.codec ?? null; }
  get analyser() { return this.#output?.analyser ?? null; }

  // Whether the station's music is audible, not only silence.
  get sounding() {
    return this.sound.sounding && this.#flows;
  }

  // Whether only silence is output, which the server sends in place of missing audio.
  get silent() {
    return this.sound.playing && !this.sound.sounding && this.#flows;
  }

  // The obstacle that keeps playback from being heard here, as in Sound.obstacle_of().
  get obstacle() {
    return this.#output && this.sound.obstacle_of(this.#output);
  }

  get #flows() {
    return this.sound.fresh && this.obstacle === null;
  }

  // Call within a user gesture. Resolves to false if it was stopped meanwhile or cannot start.
  async play(route, { sample_rate, volume }) {
    const mine = ++this.#session;
    this.#wanted = true;
    this.#route = route;
    this.#presence.start();
    this.sound = new Sound(this.#presence);
    this.#handlers.on_state();
    const output = await Output.create({
      sample_rate, volume, prefers_element: this.#quality === "audio",
      on_begin: (format) => this.#connect(this.#route, format),  // which need not wait for the output
      on_report: (report) => { if (mine === this.#session) this.#apply_report(report); },
      on_change: () => { if (mine === this.#session) this.#output_changed(); },
    }).catch(() => null);
    if (mine !== this.#session) {
      output?.close();
      return false;
    }
    if (!output) {
      this.#fail("no_output");
      return false;
    }
    this.#output = output;
    if (output.mode !== this.#format.mode) this.#connect(this.#route, output);
    else if (this.#next?.connection.state === "open") this.#promote_next();
    setTimeout(() => this.#report_playback(mine), FIRST_REPORT_MS);
    return true;
  }

  #fail(what) {
    this.stop();
    this.#handlers.on_missing(what);
  }

  // Switches to another station during playback.
  change(route) {
    this.#route = route;
    if (this.#format) this.#connect(route);
  }

  // Selects the sound, from the next connection on, which replaces the current one: "pcm" is lossless, "opus" saves data,
  // "auto" begins with Opus, where an encoder is free, and goes over to PCM once the line has shown that it carries it; "audio" plays by an
  // <audio> element, from the next play() on.
  set quality(quality) {
    if (quality === this.#quality) return;
    this.#quality = quality;
    if (this.#format) this.#connect(this.#route);
  }

  get quality() {
    return this.#quality;
  }

  get #by_element() {
    return this.#format.mode === "element";
  }

  // Cancels a pending change; the current station stays.
  cancel_change() {
    if (!this.#current) return;
    this.#drop_next();
    this.#route = this.#current.route;
    this.#handlers.on_state();
  }

  stop() {
    ++this.#session;
    this.#wanted = false;
    this.#drop_next();
    this.#end_line_trial();
    this.#current?.connection.close();
    this.#current = null;
    this.#output?.close();
    this.#output = this.#format = null;
    this.sound = new Sound(this.#presence);
    this.#presence.stop();
    this.#set_trouble(null);
    this.#handlers.on_state();
  }

  // Returns whether there is an open connection.
  send(message) {
    return this.#current?.connection.send(message) ?? false;
  }

  // Asks the browser to resume a suspended output.
  resume() {
    if (this.#output?.suspended) this.#output.resume();
  }

  // Connects now if an attempt is pending.
  retry_now() {
    (this.#current ?? this.#next)?.connection.retry_now();
  }

  // Whether the listener is changing the music: then little is buffered, so that changes are heard soon.
  set near(near) {
    if (this.#output) this.#output.near = near;
  }

  set volume(gain) {
    if (this.#output) this.#output.volume = gain;
  }

  #connect(route, { sample_rate, mode } = this.#format) {
    this.#drop_next();
    this.#format = { sample_rate, mode };
    const { port1, port2 } = new MessageChannel();
    const link = {
      route, chunks: port1, prefers_opus: this.#quality !== "pcm" && !this.#by_element, heard: false, status: null, connection: null, limit: null,
      kbit_s: 0,                       // at which the first chunks came
      refused_ms: null,                // since when it is refused, by performance.now(),
      asking: false,                   // and whether the server is being asked why
    };
    const format = { output_rate: this.#format.sample_rate, prefers_opus: link.prefers_opus, no_audio: this.#by_element };
    link.connection = this.#thread.connect(this.#url_of(route), port2, format, {
      on_message: (message) => this.#receive(link, message),
      on_state: (state, loss) => this.#apply_state(link, state, loss),
      on_time: (known) => this.#time_answered(link, known),
      on_rate: (kbit_s) => { link.kbit_s = Math.max(link.kbit_s, kbit_s); },
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
      if (link === this.#current) this.#output.play_station(message.station);
    }
    if (message.type === "warning" && message.code === "stepped_down") this.#prefer_opus(link, true);
    if (link === this.#current) this.#handlers.on_message(message);
  }

  #apply_state(link, state, loss) {
    if (state === "open") {
      if (link === this.#next && this.#output) this.#promote_next();
      this.#set_trouble(null);
    } else if (state === "waiting") {
      this.#handle_loss(link, loss);
    }
    this.#handlers.on_state();
  }

  // Makes the next link current once it plays; drops the former one.
  #promote_next() {
    const link = this.#next;
    link.limit?.cancel();
    this.#current?.connection.close();
    this.#current = link;
    this.#next = null;
    link.heard = true;
    this.sound.change_station();
    this.#output.take_chunks_from(link.chunks);
    if (link.status) this.#output.play_station(link.status.station);
    this.#handlers.on_station(link.route);
    if (link.status) this.#handlers.on_message(link.status);
    this.#begin_line_trial(link);
  }

  #begin_line_trial(link) {
    this.#end_line_trial();
    if (this.#quality !== "auto" || this.#by_element || navigator.connection?.saveData) return;
    this.#line_trial = new LineTrial({
      wanted: () => link === this.#current && link.connection.state === "open" && link.connection.codec === "opus" &&
          this.sounding && link.kbit_s >= LEAST_OPUS_KBIT_S,
      connect: (on_result) => {
        const { port1, port2 } = new MessageChannel();
        port1.close();
        const nothing = () => {};
        const format = { output_rate: this.#format.sample_rate, prefers_opus: false };
        return this.#thread.connect(this.#url_of(link.route), port2, format, {
          on_message: nothing, on_time: nothing, on_rate: on_result,
          on_state: (state) => { if (state === "waiting") on_result(0); },
        });
      },
      on_fast: () => {
        this.#prefer_opus(link, false);
        link.connection.send({ type: "buffer_control", format: PCM });
      },
    });
  }

  // From the next attempt on.
  #prefer_opus(link, prefers_opus) {
    if (this.#quality !== "auto") return;
    link.prefers_opus = prefers_opus;
    link.connection.prefer_opus(prefers_opus);
  }

  #end_line_trial() {
    this.#line_trial?.end();
    this.#line_trial = null;
  }

  // Handles a broken or refused connection; the next attempt comes at once, or soon.
  async #handle_loss(link, loss) {
    if (loss.newest_due_ms !== null) link.route.heard(loss.newest_due_ms);
    // The attempt was under way when the link was sent elsewhere, or the server is being asked already.
    if (link.asking || loss.url !== this.#url_of(link.route)) return;
    const asked = link.route.query;
    link.asking = true;
    const { why, status } = await this.#find_why(link, loss);
    link.asking = false;
    const dropped = link !== this.#current && link !== this.#next;
    if (dropped || link.route.query !== asked || link.connection.state === "open") return;
    this.#judge_loss(link, why, status);
  }

  // Why the connection was lost, as why_refused() of route.js names it, and the server's status.
  async #find_why(link, { code, accepted }) {
    const { route } = link;
    const gone = code === CODE_STATION_GONE;
    const answer = accepted && !gone ? null : await fetch_status(gone ? null : name_of(route.query));
    const status = answer?.status ?? null;
    if (gone) return { why: "unknown", status };
    if (accepted) return { why: "later", status };
    const why = why_refused(route.query, status, answer?.found ?? false, link.prefers_opus);
    // A personal station by its name: the refusal may mean its encoder.
    const named = why === "later" && route.personal && link.prefers_opus && status?.places?.opus_free === 0;
    return { why: named && this.#quality === "auto" ? "no_encoder" : why, status };
  }

  #judge_loss(link, why, status) {
    const { route } = link;
    link.refused_ms ??= performance.now();
    if (why === "unknown") {
      if (!route.gone()) return this.#refuse(link, link.heard ? "gone" : "unknown", status);
      link.connection.redirect(this.#url_of(route));
    } else if (why === "no_encoder" && this.#quality === "auto") {
      this.#prefer_opus(link, false);
    } else if (why === "other_format") {
      return this.#refuse(link, why, status);
    } else if (link.heard) {
      this.#set_trouble(why === "later" ? null : why);
    } else if (why !== "later" || (this.#current && performance.now() - link.refused_ms >= CHANGE_REFUSED_MS)) {
      this.#refuse(link, why, status);
    }
  }

  #set_trouble(why) {
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

  #output_changed() {
    this.sound.forget_latency();
    this.resume();
    this.#handlers.on_state();
  }

  // Handles the audio thread's report of the playback position. The latency is when the frame is heard, by the server's
  // clock, minus when it was due.
  #apply_report(report) {
    const changed = this.sound.apply(report);
    const { position, context_time } = report;
    if (position && this.#current) {
      const { route, connection } = this.#current;
      route.heard(position.due_ms);
      const heard_ms = this.#output.heard_at_ms(context_time);
      const { offset_ms } = connection;
      const heard = { due_ms: position.due_ms, heard_ms, card_ms: context_time * 1000, offset_ms };
      if (offset_ms !== null && !this.sound.measure(heard)) connection.doubt_time();
    }
    if (changed) this.#handlers.on_state();
  }

  // Reports only what was measured by a clock that is confirmed afterwards.
  #report_playback(mine) {
    if (mine !== this.#session) return;
    setTimeout(() => this.#report_playback(mine), REPORT_INTERVAL_MS);
    if (this.#by_element) this.#send_report();
    else if (this.sound.end_window()) this.#current?.connection.request_time();
  }

  #time_answered(link, known) {
    if (link !== this.#current) return;
    if (!known) return this.sound.forget_latency();
    this.#send_report();
  }

  #send_report() {
    const report = this.sound.report(this.#output);
    if (report) this.send(report);
  }
}
