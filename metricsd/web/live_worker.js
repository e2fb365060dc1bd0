// SPDX-License-Identifier: MIT
// A shared worker: one connection to /api/live for all pages of a browser, which opens only a few to a server.
import { follow } from "./follow.js";

const pages = new Set();
let newest = null;

follow((json) => {
  newest = json;
  for (const page of pages) page.postMessage(json);
});

self.addEventListener("connect", ({ ports: [page] }) => {
  pages.add(page);
  if (newest !== null) page.postMessage(newest);
  page.addEventListener("message", () => pages.delete(page));   // all that a page ever says: it is left
  page.start();
});
