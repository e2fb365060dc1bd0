// SPDX-License-Identifier: MIT
// A line to a server on this machine as a listener far away has it: all its connections share what it carries, and what comes back
// is delayed. It loses nothing, and keeps the order.
import { connect, createServer } from "node:net";

const PIECE_BYTES = 1400;
const MOST_WAITING_BYTES = 64 * 1024;  // then the server has to wait

// Returns { url, close() }. Towards the listener: `kbit_s`; `delay_ms`, and up to `jitter_ms` more. `round_trip_ms`: half of it each way,
// and once until a connection is made.
export async function slow_line(url, { kbit_s = Infinity, delay_ms = 0, jitter_ms = 0, round_trip_ms = 0 }) {
  const target = new URL(url);
  const sockets = new Set();
  let free_ms = 0;                     // when the line has carried all that waits

  // Timers of about the same time may fire in another order: each lets the next piece through.
  const arrive = (piece, arrives_ms, from, to) => {
    to.arrives_ms = Math.max(to.arrives_ms, arrives_ms);
    to.pieces.push(piece);
    to.waiting += piece.length;
    setTimeout(() => {
      const next = to.pieces.shift();
      to.waiting -= next.length;
      if (to.waiting < MOST_WAITING_BYTES) from.resume();
      if (!to.destroyed) to.write(next);
      if (to.ends && to.pieces.length === 0) to.end();
    }, to.arrives_ms - performance.now());
  };

  const carry = (bytes, from, to) => {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      free_ms = Math.max(free_ms, performance.now()) + piece.length * 8 / kbit_s;
      arrive(piece, free_ms + round_trip_ms / 2 + delay_ms + Math.random() * jitter_ms, from, to);
    }
    if (to.waiting >= MOST_WAITING_BYTES) from.pause();
  };

  const server = createServer((listener) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [one, other] of [[listener, upstream], [upstream, listener]]) {
      // What is on its way to it, in bytes, and when the last of it arrives.
      Object.assign(one, { pieces: [], waiting: 0, arrives_ms: 0, ends: false });
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        if (other.pieces.length === 0) other.end();
        else other.ends = true;
      });
    }
    const made_ms = performance.now() + round_trip_ms;
    listener.on("data", (bytes) => arrive(bytes, Math.max(made_ms, performance.now()) + round_trip_ms / 2, listener, upstream));
    upstream.on("data", (bytes) => carry(bytes, upstream, listener));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
