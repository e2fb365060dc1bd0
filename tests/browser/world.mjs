// SPDX-License-Identifier: MIT
// The time, timers and network of one browser thread, moved by the test, also past a sleep, in which the thread does not run
// and performance.now() counts or stands still. Replaces the globals that the player's modules use.

const REAL_START_MS = 1_000_000;
const WALL_MS = 1_700_000_000_000;

export class World {
  real_ms = REAL_START_MS;             // real time
  not_counted_ms = 0;                  // sleep during which performance.now() stood still
  wall_step_ms = 0;                    // by how much this machine's wall clock was set
  server_step_ms = 0;                  // and the server's clock
  sockets = [];
  #tasks = new Map();                  // { at_ms, run, every_ms, network } by id; at_ms by now_ms()
  #last_id = 0;

  constructor() {
    const world = this;
    Object.defineProperty(performance, "now", { value: () => world.now_ms(), configurable: true });
    Date.now = () => WALL_MS + world.real_ms + world.wall_step_ms;
    globalThis.setTimeout = (run, ms = 0) => world.#add(ms, run, { every_ms: 0 });
    globalThis.setInterval = (run, ms) => world.#add(ms, run, { every_ms: ms });
    globalThis.clearTimeout = globalThis.clearInterval = (id) => { world.#tasks.delete(id); };
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      world.#add(ms, () => controller.abort(), { every_ms: 0 });
      return controller.signal;
    };
    globalThis.addEventListener = globalThis.removeEventListener = () => {};
    globalThis.WebSocket = class extends Socket {
      constructor(url) {
        super(world, url);
        world.sockets.push(this);
      }
    };
  }

  now_ms() {
    return this.real_ms - this.not_counted_ms;
  }

  server_s() {
    return (WALL_MS + this.real_ms + this.server_step_ms) / 1000;
  }

  // Delivers from the network in `ms`; during a sleep it waits, and comes after the late timers.
  deliver(ms, run) {
    this.#add(ms, run, { every_ms: 0, network: true });
  }

  run(ms) {
    const end_ms = this.real_ms + ms;
    for (let next = this.#next(); next && next[1].at_ms + this.not_counted_ms <= end_ms; next = this.#next()) {
      const [id, task] = next;
      this.real_ms = Math.max(this.real_ms, task.at_ms + this.not_counted_ms);
      if (task.every_ms > 0) task.at_ms = this.now_ms() + task.every_ms;
      else this.#tasks.delete(id);
      task.run();
    }
    this.real_ms = end_ms;
  }

  // `counted`: whether performance.now() continues.
  sleep(ms, { counted }) {
    this.real_ms += ms;
    if (!counted) this.not_counted_ms += ms;
  }

  #add(ms, run, { every_ms, network = false }) {
    const id = ++this.#last_id;
    this.#tasks.set(id, { at_ms: this.now_ms() + Math.max(0, ms), run, every_ms, network });
    return id;
  }

  // Late tasks come first, timers before the network.
  #next() {
    const order = ({ at_ms, network }) => [Math.max(at_ms, this.now_ms()), network ? 1 : 0, at_ms];
    let best = null;
    for (const entry of this.#tasks) {
      if (!best || before(order(entry[1]), order(best[1]))) best = entry;
    }
    return best;
  }
}

function before(a, b) {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && a[at] < b[at];
}

// A WebSocket and the server behind it, which answers pings while it is `alive`.
class Socket {
  static OPEN = 1;
  readyState = 0;
  alive = true;
  closed = false;
  pings = [];                          // when they were sent
  round_trip_ms = 20;
  #world;
  #seq = 0;

  constructor(world, url) {
    this.#world = world;
    this.url = url;
  }

  // The server accepts the connection, and sends a chunk every 100 ms.
  open() {
    this.readyState = 1;
    this.onopen?.();
    this.#stream();
  }

  send(text) {
    const message = JSON.parse(text);
    if (message.type !== "ping") return;
    this.pings.push(this.#world.now_ms());
    this.#world.deliver(this.round_trip_ms / 2, () => {
      if (!this.alive) return;
      const answer = { type: "pong", client_time: message.client_time, server_time: this.#world.server_s() };
      this.#world.deliver(this.round_trip_ms / 2, () => this.say(answer));
    });
  }

  say(message) {
    if (this.alive && !this.closed) this.onmessage?.({ data: JSON.stringify(message) });
  }

  close() {
    this.closed = true;
    this.readyState = 3;
  }

  #stream() {
    if (!this.alive || this.closed) return;
    this.say({
      type: "audio", seq: ++this.#seq, timestamp: this.#world.server_s(), duration_ms: 100, sample_rate: 44100, channels: 2,
      data: "AAAAAA==",
    });
    this.#world.deliver(100, () => this.#stream());
  }
}
