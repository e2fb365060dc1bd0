// SPDX-License-Identifier: MIT
// The page's end of the connections, which live on a thread of their own (connection_worker.js). There may be several: the
// next station is connected before the present one is left.
import { ServerClock } from "./clock.js";

const MAX_TIME_QUESTIONS = 20;         // to the thread, one after the other; three are enough unless it is very busy

export class ConnectionThread {
  #worker = new Worker(new URL("connection_worker.js", import.meta.url), { type: "module" });
  #connections = new Map();            // by id; what one that was closed since still says is not heard
  #last_id = 0;
  #time_questions = 0;
  #clock = new ServerClock();          // of the thread, whose performance.now() began at another moment

  constructor() {
    this.#worker.onmessage = ({ data }) => {
      if (data.page_ms !== undefined) this.#receive_time(data);
      else this.#connections.get(data.id)?.receive(data);
      if (data.offset_ms !== undefined) this.#check_time();
    };
    this.#check_time();
  }

  // Chunks go to `port`, at `output_rate`. `saves_data`: Opus is wanted rather than PCM. `handlers`: on_message(object),
  // on_state(state, loss), as of connection.js; on_time(known), when the server's clock was asked: whether offset_ms is sure.
  // They are never called from within this call.
  connect(url, port, { output_rate, saves_data }, handlers) {
    const id = ++this.#last_id;
    const connection = new ConnectionProxy(handlers, {
      post: (message) => this.#worker.postMessage({ id, ...message }),
      forget: () => this.#connections.delete(id),
      thread_offset: () => this.#clock.offset_ms,
    });
    this.#connections.set(id, connection);
    this.#worker.postMessage({ id, open: url, port, output_rate, saves_data }, [port]);
    return connection;
  }

  // Whether the thread's clock is still what it was: browsers need not treat a sleep alike on every thread.
  #check_time() {
    this.#time_questions = 0;
    this.#ask_time();
  }

  #ask_time() {
    ++this.#time_questions;
    this.#worker.postMessage({ page_ms: performance.now() });
  }

  // Asks until the clock is sure.
  #receive_time({ page_ms, thread_ms }) {
    this.#clock.add(page_ms, performance.now(), thread_ms);
    if (this.#clock.offset_ms === null && this.#time_questions < MAX_TIME_QUESTIONS) this.#ask_time();
  }
}

class ConnectionProxy {
  #handlers;
  #post;
  #forget;
  #thread_offset;
  #server_ms = null;                   // the server's time minus the thread's; null while it is not sure
  #retry_at_ms = 0;                    // by performance.now()

  state = "connecting";                // as connection.js names it
  codec = null;                        // "pcm" or "opus"; null before the first chunk

  constructor(handlers, { post, forget, thread_offset }) {
    this.#handlers = handlers;
    this.#post = post;
    this.#forget = forget;
    this.#thread_offset = thread_offset;
  }

  // The server's time minus performance.now(); null while it is not sure.
  get offset_ms() {
    const thread_ms = this.#thread_offset();
    return this.#server_ms === null || thread_ms === null ? null : this.#server_ms + thread_ms;
  }

  // Asks for the server's time now; on_time() tells when there is an answer.
  ask_time() {
    this.#post({ ask_time: true });
  }

  // The server's clock seems to be another: it is not sure before the next answer.
  doubt_time() {
    this.#server_ms = null;
    this.ask_time();
  }

  // Until the next attempt, while waiting.
  get retry_in_ms() {
    return Math.max(0, this.#retry_at_ms - performance.now());
  }

  redirect(url) {
    this.#post({ redirect: url });
  }

  // Where the next attempt is waited for, it is made now.
  retry_now() {
    this.#post({ retry: true });
  }

  // Returns whether there is a connection to send it on.
  send(message) {
    if (this.state !== "open") return false;
    this.#post({ send: message });
    return true;
  }

  close() {
    this.#post({ close: true });
    this.#forget();
    this.state = "closed";
  }

  receive({ message, state, loss, offset_ms, codec }) {
    if (message) {
      this.#handlers.on_message(message);
    } else if (state) {
      this.state = state;
      this.#retry_at_ms = performance.now() + (loss?.retry_in_ms ?? 0);
      this.#handlers.on_state(state, loss);
    } else if (codec) {
      this.codec = codec;
    } else {
      this.#server_ms = offset_ms;
      this.#handlers.on_time(this.offset_ms !== null);
    }
  }
}
