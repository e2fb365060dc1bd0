// SPDX-License-Identifier: MIT
// The page's end of the connection, which lives on a thread of its own (stream_worker.js).

export class StreamThread {
  #url;
  #handlers;
  #worker = new Worker(new URL("stream_worker.js", import.meta.url), { type: "module" });
  #session = 0;                        // what a connection that was closed since still says is not heard

  state = "closed";                    // as stream.js names it
  offset_ms = null;                    // server time minus local time; null while unknown

  // `handlers`: on_message(object), on_state(state, retry_in_ms).
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
    this.#worker.onmessage = ({ data }) => {
      if (data.session === this.#session) this.#receive(data);
    };
  }

  // Chunks go to `port`.
  open(port) {
    this.#worker.postMessage({ open: this.#url, session: ++this.#session, port }, [port]);
    this.offset_ms = null;
    this.#set_state("connecting", 0);
  }

  close() {
    this.#worker.postMessage({ close: true });
    ++this.#session;
    this.#set_state("closed", 0);
  }

  // Returns whether there is a connection to send it on.
  send(message) {
    if (this.state !== "open") return false;
    this.#worker.postMessage({ send: message });
    return true;
  }

  #receive({ message, state, retry_in_ms, offset_ms }) {
    if (message) this.#handlers.on_message(message);
    else if (state) this.#set_state(state, retry_in_ms);
    else this.offset_ms = offset_ms;
  }

  #set_state(state, retry_in_ms) {
    this.state = state;
    this.#handlers.on_state(state, retry_in_ms);
  }
}
