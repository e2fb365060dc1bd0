// SPDX-License-Identifier: MIT
// Keeps Data current: asks for the history once, then follows the events of each second.

const SILENT_MS = 3500;                // so long without an event: metricsd does not answer
const RETRY_MS = 2000;

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
    this.#follow();
    setInterval(() => this.#watch(), 500);
  }

  // Why the data is out of date; null if it is not.
  get stale() {
    return this.#silent ? "metricsd does not answer; what is shown is out of date" : null;
  }

  #follow() {
    const source = new EventSource("/api/live");
    source.addEventListener("message", ({ data }) => this.#hear(JSON.parse(data)));
    // The browser tries again by itself, unless the server refused.
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#follow(), RETRY_MS);
    });
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
