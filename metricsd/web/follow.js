// SPDX-License-Identifier: MIT
// Follows /api/live, in a page or in the worker that all pages of a browser share.

const RETRY_MS = 2000;

// Calls `on_second(json)` for each event, for ever.
export function follow(on_second) {
  const source = new EventSource("/api/live");
  source.addEventListener("message", ({ data }) => on_second(data));
  // The browser tries again by itself, unless the server refused.
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(on_second), RETRY_MS);
  });
}
