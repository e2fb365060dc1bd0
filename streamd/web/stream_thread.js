// SPDX-License-Identifier: MIT
// The page's end of the connections, which live on a thread of their own (stream_worker.js). There may be several: the
// next station is connected before the present one is left.

export class StreamThread {
  #worker = new Worker(new URL("stream_worker.js", import.meta.url), { type: "module" });
  #connections = new Map();            // by id; what one that was closed since still says is not heard
  #last_id = 0;

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#connections.get(data.id)?.receive(data);
  }

  // Chunks go to `port`, at `output_rate`. `saves_data`: Opus is wanted rather than PCM. `handlers`: on_message(object),
  // on_state(state, loss), as of stream.js; never called from within this call.
  connect(url, port, { output_rate, saves_data }, handlers) {
    const id = ++this.#last_id;
    const connection = new Connection(handlers, (message) => this.#worker.postMessage({ id, ...message }), () => {
      this.#connections.delete(id);
    });
    this.#connections.set(id, connection);
    this.#worker.postMessage({ id, open: url, port, output_rate, saves_data }, [port]);
    return connection;
  }
}

class Connection {
  #handlers;
  #post;
  #forget;
  #retry_at_ms = 0;                    // by performance.now()

  state = "connecting";                // as stream.js names it
  offset_ms = null;                    // server time minus local time; null while unknown
  codec = null;                        // "pcm" or "opus"; null before the first chunk

  constructor(handlers, post, forget) {
    this.#handlers = handlers;
    this.#post = post;
    this.#forget = forget;
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
      this.offset_ms = offset_ms;
    }
  }
}
