// SPDX-License-Identifier: MIT
// The thread of the connections, which also decodes. Chunks go directly from here to the audio thread through a port, so a
// page that is busy drawing delays no audio; connection_thread.js is the page's end.
//
// From the page: { id, open: url, port, output_rate, prefers_opus, no_audio }, { id, redirect: url }, { id, prefers_opus },
// { id, send: message }, { id, retry: true }, { id, request_time: true }, { id, close: true }, { page_ms }.
// To the page: { id, state, loss }, { id, message }, { id, kbit_s }, { id, offset_ms }, { id, codec }, and
// { page_ms, thread_ms } in reply to { page_ms }: both by performance.now(), whose origin differs between threads; { fault: true } if this
// thread has no WebSocket.
import { Connection, MESSAGES, subprotocols } from "./connection.js";
import { Decoder } from "./decoder.js";
import { can_decode_opus, OpusDecoder } from "./opus_decoder.js";

let opus_known = null;
const connections = new Map();         // { connection, decoder } by the page's id

function open({ id, open: url, port, output_rate, prefers_opus, no_audio }, can_decode) {
  const decoder = new Decoder({
    output_rate, opus: new OpusDecoder(),
    on_chunk: (chunk) => port.postMessage(chunk, [chunk.samples.buffer]),
    on_codec: (codec) => postMessage({ id, codec }),
  });
  const offered = no_audio ? [MESSAGES] : subprotocols({ prefers_opus, can_decode_opus: can_decode });
  const connection = new Connection(url, offered, {
    on_audio: (message) => decoder.add(message),
    on_message: (message) => postMessage({ id, message }),
    on_state: (state, loss) => postMessage({ id, state, loss }),
    on_rate: (kbit_s) => postMessage({ id, kbit_s }),
    on_offset: (offset_ms) => postMessage({ id, offset_ms }),
  });
  connections.set(id, { connection, decoder });
  connection.open();
}

function close(id) {
  connections.get(id)?.connection.close();
  connections.get(id)?.decoder.close();
  connections.delete(id);
}

async function take({ data }) {
  if (data.page_ms !== undefined) return postMessage({ page_ms: data.page_ms, thread_ms: performance.now() });
  opus_known ??= can_decode_opus();
  const can_decode = await opus_known;
  if (data.open) open(data, can_decode);
  else if (data.redirect) connections.get(data.id)?.connection.redirect(data.redirect);
  else if (data.prefers_opus !== undefined) {
    const offered = subprotocols({ prefers_opus: data.prefers_opus, can_decode_opus: can_decode });
    connections.get(data.id)?.connection.offer(offered);
  } else if (data.send) connections.get(data.id)?.connection.send(data.send);
  else if (data.request_time) connections.get(data.id)?.connection.request_time();
  else if (data.retry) connections.get(data.id)?.connection.retry_now();
  else if (data.close) close(data.id);
}

export function serve_page() {
  if (typeof WebSocket === "undefined") postMessage({ fault: true });
  else onmessage = take;
}
