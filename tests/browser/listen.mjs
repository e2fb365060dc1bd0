// SPDX-License-Identifier: MIT
// What a listener hears of the player, and beside it in the same browser of a bare <audio> element on /listen: see scripts/listen.
//
// Environment: see daemons.mjs and browser.mjs.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { press_play, record, with_browser, with_player } from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";

const SECONDS = Number(process.env.LISTEN_SECONDS ?? 120);
const BUSY = process.env.LISTEN_BUSY === "1";

const children = [];
after(() => children.forEach((child) => child.kill()));

// As many programs as there are processors, none of which ever waits.
function keep_busy() {
  for (let i = 0; i < availableParallelism(); ++i) children.push(spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }));
}

function row(name, { recorded_ms, silences }) {
  const silent_ms = silences.reduce((sum, { ms }) => sum + ms, 0);
  const longest_ms = Math.max(0, ...silences.map(({ ms }) => ms));
  return `${name.padEnd(18)} ${(recorded_ms / 1000).toFixed(1).padStart(8)} ${String(silences.length).padStart(9)}` +
      ` ${Math.round(silent_ms).toString().padStart(10)} ${Math.round(longest_ms).toString().padStart(11)}`;
}

async function play_element(page, url) {
  await page.goto(url);
  return page.evaluateHandle(async () => {
    const audio = new Audio("/listen/default.opus");
    const context = new AudioContext();
    const source = context.createMediaElementSource(audio);
    await audio.play();
    await context.resume();
    return source;
  });
}

test("listening", async () => {
  const daemons = await start_daemons();
  try {
    await with_player(daemons.player_url, (player) => with_browser(async (bare) => {
      await press_play(player);
      const source = await play_element(bare, daemons.player_url);
      await sleep(3000);
      if (BUSY) keep_busy();
      const recorders = { "the player": await record(player), "a bare <audio>": await record(bare, source) };
      await sleep(SECONDS * 1000);
      console.log("                   recorded, s silences  silent, ms longest, ms");
      for (const [name, recorder] of Object.entries(recorders)) console.log(row(name, await recorder.stop()));
    }));
  } finally {
    await daemons.stop();
  }
});
