// SPDX-License-Identifier: MIT
// The player in a real Chromium behind the reverse proxies of docs/proxies, in a folder of a site, over HTTP/2.
//
// Environment: see daemons.mjs and browser.mjs. Needs the proxies, and what their helper needs (tests/integration).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { press_play, PROXIED_NAME, with_player } from "./browser.mjs";
import { assert_sounds, daemons, start_own, status, with_stations } from "./stations.mjs";

const HELPER = fileURLToPath(new URL("../integration/reverse_proxies.py", import.meta.url));

with_stations();

// Runs `body(url)` with the address of the player's page behind that proxy.
async function with_proxy(name, body) {
  const upstream_port = new URL(daemons.player_url).port;
  const helper = spawn("/usr/bin/python3", [HELPER, name, upstream_port], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(helper, "exit");
  try {
    const [port] = await Promise.race([once(helper.stdout, "data"), ended.then(() => assert.fail(`${name} does not run`))]);
    await body(`https://${PROXIED_NAME}:${Number(port)}/radio/`);
  } finally {
    helper.stdin.end();
    await ended;
  }
}

async function protocols(page) {
  const used = await page.evaluate(() => ["navigation", "resource"]
    .flatMap((kind) => performance.getEntriesByType(kind)).map(({ nextHopProtocol }) => nextHopProtocol));
  return [...new Set(used)];
}

for (const name of ["nginx", "caddy", "haproxy"]) {
  test(`behind ${name} the player plays over HTTP/2, and a personal station too`, async () => {
    await with_proxy(name, async (url) => {
      await with_player(url, async (page) => {
        await press_play(page);
        assert.equal(await page.evaluate(() => auralis.mode), "worklet");
        assert.deepEqual(await protocols(page), ["h2"]);
        await start_own(page, { preset: "sleep", seed: "42" });
        await assert_sounds(page);
        assert.equal((await status(page)).seed, 42);
        assert.equal(page.url(), `${url}?station=new&preset=sleep&seed=42`);
        // Chromium accepts the test's own certificate for everything but a service worker.
      }, { ignoreHTTPSErrors: true, expected: /SSL certificate error/ });
    });
  });
}
