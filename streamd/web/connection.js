// SPDX-License-Identifier: MIT
// The connection to streamd: opens the WebSocket, opens it again when it breaks, measures the server's clock, and hands
// on what comes. It knows nothing of sound, of the page or of stations, and runs on any thread.
import { ServerClock } from "./clock.js";
import { decode_binary, decode_json } from "./frame.js";
import { Presence } from "./presence.js";

const MIN_RETRY_MS = 500;
const MAX_RETRY_MS = 10000;
const PING_BURST = 5;                  // pings on connect, and where the clock is not known any more,
const PING_BURST_INTERVAL_MS = 150;    // this far apart,
const PING_INTERVAL_MS = 5000;         // then one each so often
const PING_AGAIN_MS = 500;             // a ping that is asked for follows the last one no sooner
const SILENT_TOO_LONG_MS = 6000;       // an open connection that says nothing, not even pong, is dead
const RETURN_LIMIT_MS = 4000;          // after an absence it is asked first, and has this long to answer
const NO_CLOSE_CODE = 1006;            // what browsers call a connection that ended without a word

// What is offered to the server, which takes the first that it knows. One that is offered Opus after PCM may pass to it
// where the connection is too slow.
export function subprotocols({ saves_data, can_decode_opus }) {
  const binary = ["auralis.pcm.v1", ...(can_decode_opus ? ["auralis.opus.v1"] : [])];
  return [...(saves_data ? binary.reverse() : binary), "auralis.json.v1"];
}

export class Connection {
  #url;
  #subprotocols;
  #handlers;
  #socket = null;
  #state = "closed";
  #wanted = false;
  #retries = 0;
  #retry_timer = 0;
  #ping_timer = 0;
  #pings = 0;                          // of the present burst
  #burst_ms = 0;                       // when it began,
  #clock_since_ms = 0;                 // since when the clock is measured,
  #pinged_ms = 0;                      // and when the last ping was sent, all by performance.now()
  #presence = new Presence(() => this.#return());
  #limit = null;                       // until when the server has to say something
  #taken = false;                      // whether the server took the present connection
  #newest_due_ms = null;               // of the chunks that came
  #clock = new ServerClock();
  #go_online = () => this.retry_now();

  // `subprotocols`: as of subprotocols(). `handlers`: on_audio(message, as of frame.js), on_message(object),
  // on_state(state, loss), on_offset(the server's time minus this thread's performance.now(), in ms, null while it is not
  // sure; after each answer to a ping, and when it is not sure any more).
  // A state is "closed", "connecting", "open" (audio flows) or "waiting" (for the next attempt). With the last one comes
  // { retry_in_ms, code, taken, newest_due_ms }: the close code, whether the server had taken the connection, and how far
  // the sound came on the station's timeline; null where none came.
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

  // The next attempt is due now, where one is waited for.
  retry_now() {
    if (this.#state === "waiting") this.#connect();
  }

  // Where the next attempt goes; what is connected stays.
  redirect(url) {
    this.#url = url;
  }

  close() {
    this.#wanted = false;
    removeEventListener("online", this.#go_online);
    this.#presence.stop();
    this.#drop();
    this.#set_state("closed");
  }

  // What is sent while there is no connection is lost.
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  // Asks for the server's time, besides the pings that are sent in any case: on_offset() tells the outcome.
  ask_time() {
    if (this.#state === "open" && performance.now() - this.#pinged_ms >= PING_AGAIN_MS) this.#send_ping();
  }

  #set_state(state, loss = null) {
    this.#state = state;
    this.#handlers.on_state(state, loss);
  }

  #connect() {
    this.#drop();
    this.#set_state("connecting");
    const socket = new WebSocket(this.#url, this.#subprotocols);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#taken = true;
      this.#forget_clock();
      this.#start_pings();
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#retry(code);
    this.#socket = socket;
    this.#taken = false;
    // A connection attempt has no limit of its own that is short enough.
    this.#expect_word(SILENT_TOO_LONG_MS);
  }

  #expect_word(within_ms) {
    const limit = this.#presence.after(within_ms, () => this.#retry());
    this.#limit?.cancel();             // only now: after() may have noticed an absence, and set another
    this.#limit = limit;
  }

  // After a sleep the clock may be another, and what was said meanwhile has yet to arrive: asks first, and judges later.
  #return() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#expect_word(RETURN_LIMIT_MS);
    this.#forget_clock();
    this.#start_pings();
  }

  // Forgets the socket: whatever it still says reaches nobody.
  #drop() {
    clearTimeout(this.#retry_timer);
    clearTimeout(this.#ping_timer);
    this.#limit?.cancel();
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  // Twice as long each time, and spread at random so that listeners do not return all at once.
  #retry(code = NO_CLOSE_CODE) {
    this.#drop();
    if (!this.#wanted) return;
    const least_ms = Math.min(MAX_RETRY_MS / 1.5, MIN_RETRY_MS * 2 ** this.#retries++);
    const wait_ms = least_ms * (1 + Math.random() / 2);
    this.#retry_timer = setTimeout(() => this.#connect(), wait_ms);
    this.#set_state("waiting", {
      retry_in_ms: wait_ms, code, taken: this.#taken, newest_due_ms: this.#newest_due_ms,
    });
  }

  #receive(data) {
    this.#expect_word(SILENT_TOO_LONG_MS);
    if (typeof data !== "string") return this.#receive_audio(decode_binary(data));
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message.type === "audio") this.#receive_audio(decode_json(message));
    else if (message.type === "pong") this.#receive_pong(message);
    else this.#handlers.on_message(message);
  }

  #receive_audio(message) {
    if (!message) return;
    if (this.#state !== "open") {
      this.#retries = 0;
      this.#set_state("open");
    }
    this.#newest_due_ms = message.due_ms;
    this.#handlers.on_audio(message);
  }

  // An answer to a ping of before an absence has another time in it.
  #receive_pong({ client_time, server_time }) {
    const now_ms = performance.now();
    if (!(client_time >= this.#clock_since_ms)) return;
    const agrees = this.#clock.add(client_time, now_ms, server_time * 1000);
    // One of the clocks was set: asks as after connecting, but not without end where it is set all the time.
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
