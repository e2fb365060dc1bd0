// SPDX-License-Identifier: MIT
// What a browser requests until the page is there and plays: how much, how often, and what the next visit still requests.
//
// Environment: see daemons.mjs and browser.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { press_play, with_browser } from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";

const MOST_REQUESTS = 4;
const MOST_BYTES = 50_000;

let daemons;
before(async () => { daemons = await start_daemons(); });
after(() => daemons?.stop());

// What comes over the network from now on: { path, bytes }, with headers; nothing that the browser still has.
async function watch(page) {
  const loaded = [];
  const session = await page.context().newCDPSession(page);
  const paths = new Map();
  const cached = new Set();
  await session.send("Network.enable");
  session.on("Network.requestServedFromCache", ({ requestId }) => cached.add(requestId));
  session.on("Network.responseReceived", ({ requestId, response }) => {
    if (response.fromDiskCache) cached.add(requestId);
    paths.set(requestId, new URL(response.url).pathname);
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (!cached.has(requestId) && paths.has(requestId)) loaded.push({ path: paths.get(requestId), bytes: encodedDataLength });
  });
  return loaded;
}

async function open(page) {
  await page.goto(daemons.player_url);
  await page.locator(".preset").first().waitFor();
  await page.waitForLoadState("networkidle");
}

test("the first visit loads little, and the next one only asks whether the page is new", async () => {
  await with_browser(async (page) => {
    const first = await watch(page);
    await open(page);
    const worker = await (await fetch(new URL(page.workers()[0].url()), { headers: { "Accept-Encoding": "gzip" } }));
    const thread_bytes = Number(worker.headers.get("content-length"));
    // The worker's script is requested by the worker itself, which the page's session does not see.
    const seen = first.some(({ path }) => path.includes("threads"));
    const all = seen ? first : [...first, { path: "/threads.js", bytes: thread_bytes }];
    const bytes = all.reduce((sum, one) => sum + one.bytes, 0);
    console.log(`${all.length} requests, ${bytes} bytes: ${all.map((one) => `${one.path} ${one.bytes}`).join(", ")}`);
    assert.ok(all.length <= MOST_REQUESTS, JSON.stringify(all));
    assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);

    const second = await watch(page);
    await page.reload();
    await page.locator(".preset").first().waitFor();
    await page.waitForLoadState("networkidle");
    const files = second.filter(({ path }) => !path.startsWith("/api/"));
    console.log(`next visit: ${JSON.stringify(second)}`);
    assert.deepEqual(files.map(({ path }) => path), ["/"]);
    assert.ok(files[0].bytes < 1000, "not modified");
    await press_play(page);
  });
});

test("files come compressed, with a tag, and for ever where they are named by their version", async () => {
  const page = await fetch(daemons.player_url, { headers: { "Accept-Encoding": "gzip" } });
  const text = await page.text();
  assert.equal(page.headers.get("content-encoding"), "gzip");
  assert.equal(page.headers.get("cache-control"), "no-cache");
  const again = await fetch(daemons.player_url, { headers: { "Accept-Encoding": "gzip", "If-None-Match": page.headers.get("etag") } });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
  const [script] = text.match(/player\.js\?v=[0-9a-f]+/);
  const versioned = await fetch(new URL(script, daemons.player_url));
  assert.match(versioned.headers.get("cache-control"), /immutable/);
  const other = await fetch(new URL("player.js?v=0123456789abcdef", daemons.player_url));
  assert.deepEqual([other.status, other.headers.get("cache-control")], [404, "no-cache"]);
  const plain = await fetch(daemons.player_url, { headers: { "Accept-Encoding": "identity" } });
  assert.equal(plain.headers.get("content-encoding"), null);
  assert.equal(await plain.text(), text);
});

test("the page can be installed: its manifest names icons of the sizes that it says", async () => {
  const manifest = await (await fetch(new URL("manifest.webmanifest", daemons.player_url))).json();
  assert.equal(manifest.display, "standalone");
  const sizes = [...manifest.icons.filter(({ type }) => type === "image/png"), { src: "icon-180.png", sizes: "180x180" }];
  assert.equal(sizes.length, 4);
  for (const icon of sizes) {
    const bytes = Buffer.from(await (await fetch(new URL(icon.src, daemons.player_url))).arrayBuffer());
    assert.equal(bytes.toString("latin1", 1, 4), "PNG");
    assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, icon.sizes, icon.src);
  }
});
