// SPDX-License-Identifier: MIT
// The page's end of the connections, which run on a thread of their own (connection_worker.js). There may be several: the
// next station is connected before the current one is closed.
import { THREADS } from "./addresses.js";
import { ServerClock } from "./clock.js";

const MAX_TIME_REQUESTS = 20;         // to the thread, one after the other; three suffice unless it is very busy

export class ConnectionThread {
  #worker = null;
  #connections = new Map();            // by id; messages of a closed connection are ignored
  #last_id = 0;
  #on_fault;
  #fault = null;
  #runs = false;                       // whether the thread has ever answered
  #time_requests = 0;
  #clock = new ServerClock();          // of the thread, whose performance.now() has another origin

  // `on_fault(name)`: the browser lacks what connections need, "no_thread" or "no_socket"; while there is a connection, or at the next
  // connect().
  constructor(on_fault) {
    this.#on_fault = on_fault;
    this.#begin();
  }

  #begin() {
    this.#fault = null;
    try {
      this.#worker = new Worker(THREADS);
    } catch {
      this.#fault = "no_thread";
      return;
    }
    const worker = this.#worker;
    worker.onerror = () => { if (!this.#runs && worker === this.#worker) this.#fail("no_thread"); };
    worker.onmessage = ({ data }) => {
      this.#runs = true;
      if (data.fault) this.#fail("no_socket");
      else if (data.page_ms !== undefined) this.#receive_time(data);
      else this.#connections.get(data.id)?.receive(data);
      if (data.offset_ms !== undefined) this.#check_time();
    };
    this.#check_time();
  }

  // Opens a connection. Chunks go to `port`, at `output_rate`. `prefers_opus`: rather than PCM; `no_audio`: messages alone.
  // `handlers`: on_message(object), on_state(state, loss) and on_rate(kbit_s), as in connection.js; on_time(known), after a time
  // request: whether offset_ms is known. Handlers are never called from within this call.
  connect(url, port, { output_rate, prefers_opus, no_audio = false }, handlers) {
    if (this.#fault && !this.#runs) this.#begin();  // its script may not have come, when the server was away
    if (this.#fault) setTimeout(() => this.#on_fault(this.#fault));
    const id = ++this.#last_id;
    const connection = new ConnectionProxy(handlers, {
      post: (message) => this.#worker?.postMessage({ id, ...message }),
      forget: () => this.#connections.delete(id),
      thread_offset: () => this.#clock.offset_ms,
    });
    this.#connections.set(id, connection);
    this.#worker?.postMessage({ id, open: url, port, output_rate, prefers_opus, no_audio }, [port]);
    return connection;
  }

  #fail(fault) {
    this.#fault ??= fault;
    if (this.#connections.size > 0) this.#on_fault(this.#fault);
  }

  // Checks the thread's clock again: browsers may treat a sleep differently on each thread.
  #check_time() {
    this.#time_requests = 0;
    this.#request_time();
  }

  #request_time() {
    ++this.#time_requests;
    this.#worker.postMessage({ page_ms: performance.now() });
  }

  // Asks until the clock is known.
  #receive_time({ page_ms, thread_ms }) {
    this.#clock.add(page_ms, performance.now(), thread_ms);
    if (this.#clock.offset_ms === null && this.#time_requests < MAX_TIME_REQUESTS) this.#request_time();
  }
}

class ConnectionProxy {
  #handlers;
  #post;
  #forget;
  #thread_offset;
  #server_ms = null;                   // the server's time minus the thread's; null while it is unknown
  #retry_at_ms = 0;                    // by performance.now()

  state = "connecting";                // as named in connection.js
  codec = null;                        // "pcm" or "opus"; null before the first chunk

  constructor(handlers, { post, forget, thread_offset }) {
    this.#handlers = handlers;
    this.#post = post;
    this.#forget = forget;
    this.#thread_offset = thread_offset;
  }

  // The server's time minus performance.now(); null while it is unknown.
  get offset_ms() {
    const thread_ms = this.#thread_offset();
    return this.#server_ms === null || thread_ms === null ? null : this.#server_ms + thread_ms;
  }

  // Requests the server's time now; on_time() follows.
  request_time() {
    this.#post({ request_time: true });
  }

  // Treats the server's clock as unknown until the next reply.
  doubt_time() {
    this.#server_ms = null;
    this.request_time();
  }

  // Time until the next attempt, while waiting.
  get retry_in_ms() {
    return Math.max(0, this.#retry_at_ms - performance.now());
  }

  redirect(url) {
    this.#post({ redirect: url });
  }

  // Which of both the next attempt rather gets; an open connection stays.
  prefer_opus(prefers_opus) {
    this.#post({ prefers_opus });
  }

  // Makes the next attempt now, if one is pending.
  retry_now() {
    this.#post({ retry: true });
  }

  // Returns whether there is an open connection.
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

  receive({ message, state, loss, offset_ms, codec, kbit_s }) {
    if (message) {
      this.#handlers.on_message(message);
    } else if (state) {
      this.state = state;
      this.#retry_at_ms = performance.now() + (loss?.retry_in_ms ?? 0);
      this.#handlers.on_state(state, loss);
    } else if (codec) {
      this.codec = codec;
    } else if (kbit_s !== undefined) {
      this.#handlers.on_rate(kbit_s);
    } else {
      this.#server_ms = offset_ms;
      this.#handlers.on_time(this.offset_ms !== null);
    }
  }
}
