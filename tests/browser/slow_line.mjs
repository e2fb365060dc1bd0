// SPDX-License-Identifier: MIT
// A line to a server on this machine as a listener far away has it: all its connections share what it carries, and what comes back
// is delayed. It loses nothing, and keeps the order.
import { connect, createServer } from "node:net";

const PIECE_BYTES = 1400;
const MOST_WAITING_BYTES = 64 * 1024;  // then the server has to wait

// Returns { url, close() }. `kbit_s`: towards the listener; `delay_ms`, and up to `jitter_ms` more.
export async function slow_line(url, { kbit_s, delay_ms, jitter_ms }) {
  const target = new URL(url);
  const sockets = new Set();
  let free_ms = 0;                     // when the line has carried all that waits

  const carry = (bytes, from, to) => {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      free_ms = Math.max(free_ms, performance.now()) + piece.length * 8 / kbit_s;
      const arrives_ms = Math.max(to.arrives_ms ?? 0, free_ms + delay_ms + Math.random() * jitter_ms);
      to.arrives_ms = arrives_ms;
      to.waiting = (to.waiting ?? 0) + piece.length;
      setTimeout(() => {
        to.waiting -= piece.length;
        if (to.waiting < MOST_WAITING_BYTES) from.resume();
        if (!to.destroyed) to.write(piece);
      }, arrives_ms - performance.now());
    }
    if (to.waiting >= MOST_WAITING_BYTES) from.pause();
  };

  const server = createServer((listener) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [one, other] of [[listener, upstream], [upstream, listener]]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        setTimeout(() => other.end(), Math.max(0, (other.arrives_ms ?? 0) - performance.now()) + 1);
      });
    }
    listener.on("data", (bytes) => upstream.write(bytes));
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
