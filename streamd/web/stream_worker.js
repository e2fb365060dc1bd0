// SPDX-License-Identifier: MIT
// The thread of the connection. Chunks go from here to the audio thread by a port of their own, so that a page that is busy
// drawing holds up no sound; stream_thread.js is the page's end.
//
// From the page: { open: url, session, port }, { close: true }, { send: message }.
// To the page: { session, state, retry_in_ms }, { session, message }, { session, offset_ms }.
import { Stream } from "./stream.js";

let stream = null;

function open(url, session, port) {
  stream?.close();
  stream = new Stream(url, {
    on_chunk: (chunk) => port.postMessage(chunk, [chunk.samples.buffer]),
    on_message: (message) => postMessage({ session, message }),
    on_state: (state, retry_in_ms) => postMessage({ session, state, retry_in_ms }),
    on_offset: (offset_ms) => postMessage({ session, offset_ms }),
  });
  stream.open();
}

onmessage = ({ data }) => {
  if (data.open) open(data.open, data.session, data.port);
  else if (data.close) stream?.close();
  else if (data.send) stream?.send(data.send);
};
