// SPDX-License-Identifier: MIT
// Keeps Data current: asks for the history once, then follows the events of each second.
import { follow } from "./follow.js";

const SILENT_MS = 3500;                // so long without an event: metricsd does not answer

// With a shared worker, if the browser has one.
function follow_shared(on_second) {
  if (!globalThis.SharedWorker) return follow(on_second);
  const { port } = new SharedWorker("/live_worker.js", { type: "module" });
  port.addEventListener("message", ({ data }) => on_second(data));
  port.start();
  addEventListener("pagehide", ({ persisted }) => {
    if (!persisted) port.postMessage("left");
  });
}

// `on_change()`: the data changed, or whether metricsd answers.
export class Live {
  #data;
  #on_change;
  #heard_ms = performance.now();
  #loading = false;
  #silent = false;

  constructor(data, on_change) {
    this.#data = data;
    this.#on_change = on_change;
    follow_shared((json) => this.#hear(JSON.parse(json)));
    setInterval(() => this.#watch(), 500);
  }

  // Why the data is out of date; null if it is not.
  get stale() {
    return this.#silent ? "metricsd does not answer; what is shown is out of date" : null;
  }

  #hear(second) {
    this.#heard_ms = performance.now();
    this.#silent = false;
    if (this.#data.append(second)) {
      this.#on_change();
    } else {
      this.#load();
    }
  }

  async #load() {
    if (this.#loading) return;
    this.#loading = true;
    try {
      const response = await fetch("/api/history", { cache: "no-store" });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      this.#data.replace(await response.json());
      this.#on_change();
    } catch {
      // The next event asks again.
    } finally {
      this.#loading = false;
    }
  }

  #watch() {
    if (this.#silent || performance.now() - this.#heard_ms < SILENT_MS) return;
    this.#silent = true;
    this.#on_change();
  }
}
