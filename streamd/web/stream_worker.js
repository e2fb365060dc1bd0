// SPDX-License-Identifier: MIT
// The thread of the connections. Chunks go from here to the audio thread by a port of their own, so that a page that is
// busy drawing holds up no sound; stream_thread.js is the page's end.
//
// From the page: { id, open: url, port }, { id, redirect: url }, { id, send: message }, { id, close: true }.
// To the page: { id, state, loss }, { id, message }, { id, offset_ms }.
import { Stream } from "./stream.js";

const streams = new Map();             // by the id that the page gave

function open(id, url, port) {
  const stream = new Stream(url, {
    on_chunk: (chunk) => port.postMessage(chunk, [chunk.samples.buffer]),
    on_message: (message) => postMessage({ id, message }),
    on_state: (state, loss) => postMessage({ id, state, loss }),
    on_offset: (offset_ms) => postMessage({ id, offset_ms }),
  });
  streams.set(id, stream);
  stream.open();
}

function close(id) {
  streams.get(id)?.close();
  streams.delete(id);
}

onmessage = ({ data }) => {
  if (data.open) open(data.id, data.open, data.port);
  else if (data.redirect) streams.get(data.id)?.redirect(data.redirect);
  else if (data.send) streams.get(data.id)?.send(data.send);
  else if (data.close) close(data.id);
};
