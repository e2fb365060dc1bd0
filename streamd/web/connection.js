// SPDX-License-Identifier: MIT
// The connection to streamd: opens the WebSocket, reconnects when it breaks, measures the server's clock, and passes
// messages on. It knows nothing of audio, the page or stations, and runs on any thread.
import { ServerClock } from "./clock.js";
import { decode_binary, decode_json } from "./frame.js";
import { Presence } from "./presence.js";

const MIN_RETRY_MS = 100;              // after the first attempt, which is made at once,
const MAX_RETRY_MS = 5000;
const STEADY_MS = 5000;                // a connection that lasted so long is tried again at once,
const STEADY_GROWTH = 1.03;            // and then in waits that grow by this factor: streamd is back in seconds;
const GROWTH = 2;                      // others grow by this one
const PROBE_LIMIT_MS = 2000;           // for an answer over HTTP
const JITTER = 0.2;                    // by up to this part a wait is longer
const PING_BURST = 5;                  // pings on connect, and when the clock becomes unknown,
const PING_BURST_INTERVAL_MS = 150;    // this far apart,
const PING_INTERVAL_MS = 5000;         // then one at this interval
const PING_AGAIN_MS = 500;             // least interval between the last ping and a requested one
const SILENT_TOO_LONG_MS = 6000;       // an open connection without any message, even a pong, is dead
const RETURN_LIMIT_MS = 4000;          // time to answer a ping after an absence
const LEAD_MS = 500;                   // by which chunks are to come before they are due
const BURST_CHUNKS = 6;                // of the past chunks that come at once: enough to see the line's rate
const NO_CLOSE_CODE = 1006;            // browsers' code for a connection without a close frame

export const PCM = "auralis.pcm.v1";
export const MESSAGES = "auralis.messages.v1";  // no audio: that comes by another way

// Subprotocols to offer to the server, which selects the first one it supports. The listener may switch to another of them,
// and the server from PCM to Opus if the connection is too slow.
export function subprotocols({ prefers_opus, can_decode_opus }) {
  const binary = [PCM, ...(can_decode_opus ? ["auralis.opus.v1"] : [])];
  return [...(prefers_opus ? binary.reverse() : binary), "auralis.json.v1"];
}

export class Connection {
  #url;
  #subprotocols;
  #attempted_url = null;
  #handlers;
  #socket = null;
  #state = "closed";
  #wanted = false;
  #retries = 0;
  #growth = GROWTH;
  #retry_timer = 0;
  #probe = null;                       // AbortController of a question over HTTP whether the server is back
  #ping_timer = 0;
  #pings = 0;                          // in the current burst
  #burst_ms = 0;                       // when the burst began,
  #clock_since_ms = 0;                 // since when the clock is measured,
  #pinged_ms = 0;                      // and when the last ping was sent; all by performance.now()
  #presence = new Presence(() => this.#on_return());
  #limit = null;                       // deadline for the server's next message
  #opened_ms = 0;                      // when audio began to flow, by performance.now()
  #accepted = false;                      // whether the server accepted the current connection
  #newest_due_ms = null;               // of the received chunks,
  #newest_seq = null;                  // and its number
  #clock = new ServerClock();
  #burst = null;                       // { chunks, bytes, begun_ms } of a connection's first chunks
  #go_online = () => this.retry_now();

  // `subprotocols`: from subprotocols(). `handlers`: on_audio(message), as decoded by frame.js; on_message(object);
  // on_state(state, loss); on_rate(kbit_s), at which the first chunks of a connection came; on_offset(offset_ms), the server's
  // time minus this thread's performance.now(), null while it is unknown: after each pong, and when it becomes unknown.
  // A state is "closed", "connecting", "open" (audio flows, or the status, without audio) or "waiting" (for the next attempt). The last one has a `loss`
  // { retry_in_ms, code, accepted, newest_due_ms, url }: the close code, whether the server had accepted the connection, the due
  // time of the newest chunk, null if there was none, and where the connection went to.
  constructor(url, subprotocols, handlers) {
    this.#url = url;
    this.#subprotocols = subprotocols;
    this.#handlers = handlers;
  }

  open() {
    this.#wanted = true;
    this.#retries = 0;
    addEventListener("online", this.#go_online);
    this.#presence.start();
    this.#connect();
  }

  // Makes the next attempt now, if one is pending.
  retry_now() {
    if (this.#state === "waiting") this.#connect();
  }

  // Sets the URL of the next attempt; an open connection stays.
  redirect(url) {
    this.#url = url;
  }

  // Sets what the next attempt offers; likewise.
  offer(subprotocols) {
    this.#subprotocols = subprotocols;
  }

  close() {
    this.#wanted = false;
    removeEventListener("online", this.#go_online);
    this.#presence.stop();
    this.#drop();
    this.#set_state("closed");
  }

  // Messages sent without an open connection are lost.
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  // Requests the server's time in addition to the periodic pings; on_offset() has the result.
  request_time() {
    if (this.#state === "open" && performance.now() - this.#pinged_ms >= PING_AGAIN_MS) this.#send_ping();
  }

  #set_state(state, loss = null) {
    this.#state = state;
    this.#handlers.on_state(state, loss);
  }

  #connect() {
    this.#drop();
    this.#attempted_url = this.#url;
    this.#set_state("connecting");
    const socket = new WebSocket(this.#request(), this.#subprotocols);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#accepted = true;
      this.#forget_clock();
      this.#start_pings();
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#retry(code);
    this.#socket = socket;
    this.#accepted = false;
    this.#burst = { chunks: 0, bytes: 0, begun_ms: 0 };
    // The browser's own limit for an attempt is too long.
    this.#expect_message(SILENT_TOO_LONG_MS);
  }

  // Chunks are asked for early, and those that were missed meanwhile.
  #request() {
    const url = new URL(this.#url);
    url.searchParams.set("lead_ms", LEAD_MS);
    if (this.#newest_seq !== null) url.searchParams.set("after", this.#newest_seq);
    return url.href;
  }

  #expect_message(within_ms) {
    const limit = this.#presence.after(within_ms, () => this.#retry());
    this.#limit?.cancel();             // only now: after() may have detected an absence and set another
    this.#limit = limit;
  }

  // After a sleep the clock may have changed, and messages may still be in transit: pings first and judges later.
  #on_return() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#expect_message(RETURN_LIMIT_MS);
    this.#forget_clock();
    this.#start_pings();
  }

  // Drops the socket; its later events are ignored.
  #drop() {
    this.#probe?.abort();
    this.#probe = null;
    clearTimeout(this.#retry_timer);
    clearTimeout(this.#ping_timer);
    this.#limit?.cancel();
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  // At once, then exponential backoff with jitter, so that listeners do not come back all at the same time.
  #retry(code = NO_CLOSE_CODE) {
    this.#drop();
    if (!this.#wanted) return;
    if (this.#state === "open") {
      const steady = performance.now() - this.#opened_ms >= STEADY_MS;
      if (steady) this.#retries = 0;
      this.#growth = steady ? STEADY_GROWTH : GROWTH;
    }
    const most_ms = MAX_RETRY_MS / (1 + JITTER);
    const least_ms = this.#retries === 0 ? 0 : Math.min(most_ms, MIN_RETRY_MS * this.#growth ** (this.#retries - 1));
    ++this.#retries;
    const wait_ms = least_ms * (1 + Math.random() * JITTER);
    const probes = this.#growth === STEADY_GROWTH && this.#retries > 1;
    this.#retry_timer = setTimeout(() => (probes ? this.#connect_if_back(code) : this.#connect()), wait_ms);
    this.#set_state("waiting", {
      retry_in_ms: wait_ms, code, accepted: this.#accepted, newest_due_ms: this.#newest_due_ms, url: this.#attempted_url,
    });
  }

  // WHY ask over HTTP first: browsers delay WebSockets, by seconds, after some that have failed. A server that answers and still
  // refuses is left alone for ever longer.
  async #connect_if_back(code) {
    const probe = this.#probe = new AbortController();
    const limit = setTimeout(() => probe.abort(), PROBE_LIMIT_MS);
    const url = new URL("../healthz", this.#url.replace(/^ws/, "http"));
    const back = await fetch(url, { cache: "no-store", signal: probe.signal }).then(({ ok }) => ok, () => false);
    clearTimeout(limit);
    if (probe !== this.#probe) return;
    this.#probe = null;
    if (!back) return this.#retry(code);
    this.#growth = GROWTH;
    this.#retries = 1;
    this.#connect();
  }

  #receive(data) {
    this.#expect_message(SILENT_TOO_LONG_MS);
    if (typeof data !== "string") {
      this.#measure_burst(data.byteLength);
      return this.#receive_audio(decode_binary(data));
    }
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message.type === "audio") this.#receive_audio(decode_json(message));
    else if (message.type === "pong") this.#receive_pong(message);
    else this.#handlers.on_message(message);
    if (message.type === "status" && this.#socket?.protocol === MESSAGES) this.#flow();
  }

  #flow() {
    if (this.#state === "open") return;
    this.#opened_ms = performance.now();
    this.#set_state("open");
  }

  // The first chunk only begins the measurement: how long it took to come is not known.
  #measure_burst(bytes) {
    if (!this.#burst) return;
    const now_ms = performance.now();
    if (this.#burst.chunks++ === 0) this.#burst.begun_ms = now_ms;
    else this.#burst.bytes += bytes;
    if (this.#burst.chunks < BURST_CHUNKS) return;
    this.#handlers.on_rate(this.#burst.bytes * 8 / Math.max(1, now_ms - this.#burst.begun_ms));
    this.#burst = null;
  }

  #receive_audio(message) {
    if (!message) return;
    this.#flow();
    this.#newest_due_ms = message.due_ms;
    this.#newest_seq = message.seq;
    this.#handlers.on_audio(message);
  }

  // Ignores replies to pings sent before an absence: their clock may have changed.
  #receive_pong({ client_time, server_time }) {
    const now_ms = performance.now();
    if (!(client_time >= this.#clock_since_ms)) return;
    const agrees = this.#clock.add(client_time, now_ms, server_time * 1000);
    // One of the clocks was set: sends a burst as after connecting, but not endlessly if it is set all the time.
    if (!agrees && now_ms - this.#burst_ms >= PING_INTERVAL_MS) this.#start_pings();
    this.#handlers.on_offset(this.#clock.offset_ms);
  }

  #forget_clock() {
    this.#clock_since_ms = performance.now();
    this.#clock.clear();
    this.#handlers.on_offset(null);
  }

  #start_pings() {
    clearTimeout(this.#ping_timer);
    this.#burst_ms = performance.now();
    this.#pings = 0;
    this.#ping();
  }

  #ping() {
    this.#send_ping();
    const wait_ms = ++this.#pings < PING_BURST ? PING_BURST_INTERVAL_MS : PING_INTERVAL_MS;
    this.#ping_timer = setTimeout(() => this.#ping(), wait_ms);
  }

  #send_ping() {
    this.#pinged_ms = performance.now();
    this.send({ type: "ping", client_time: this.#pinged_ms });
  }
}
