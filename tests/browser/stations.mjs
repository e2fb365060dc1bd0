// SPDX-License-Identifier: MIT
// Three stations of real daemons, and what a player with several stations is asked and shows.
import assert from "node:assert/strict";
import { after, before } from "node:test";

import { listen, screenshot, SILENCE_DB, until_playing } from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";

export const CONFIG = `
[[station]]
name = "default"
open = true

[[station]]
name = "night"
seed = 7
preset = "sleep"
open = false

[[station]]
name = "meadow"
seed = 3
preset = "bright"
open = true
`;

export const GONE = /WebSocket connection|ERR_CONNECTION|status of 40|^40|^failed/;
const LISTEN_MS = 2500;

export let daemons;

// Starts the daemons before a file's tests, and stops them after the last.
export function with_stations() {
  before(async () => { daemons = await start_daemons({ config: CONFIG }); });
  after(() => daemons?.stop());
}

export const address = (query = "") => new URL(query, daemons.player_url).href;

async function told(query = "") {
  return (await fetch(address(`api/status${query}`))).json();
}

export async function station(name) {
  return (await told(`?station=${name}`)).stations[0];
}

// Waits until the personal stations of earlier tests have ended, some seconds after they were left.
export async function until_all_left() {
  while ((await told()).places.personal > 0) await new Promise((resolve) => setTimeout(resolve, 200));
}

export const status = (page) => page.evaluate(() => auralis.status);
export const sentence = (page, text) => page.locator("#sentence", { hasText: text }).waitFor();
export const own_card = (page) => page.locator("#places [data-own]");
export const card = (page, name) => page.locator(`#places [data-station="${name}"]`);

export async function start_own(page, { preset, seed }) {
  const before = (await status(page))?.station;
  await page.getByLabel("A station of your own").selectOption(preset);
  await page.getByLabel("Seed").fill(seed ?? "");
  await page.getByRole("button", { name: "Start" }).click();
  await page.waitForFunction((before) => auralis.status?.personal && auralis.status.station !== before, before);
  await until_playing(page);
}

export async function assert_sounds(page) {
  const heard = await listen(page, LISTEN_MS);
  assert.ok(heard.loudest_db > SILENCE_DB, `loudest ${heard.loudest_db} dB`);
  assert.ok(heard.chunks > 0, "chunks were played");
  return heard;
}

export async function assert_fits(page, name) {
  await page.setViewportSize({ width: 360, height: 780 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  await screenshot(page, name);
  assert.ok(width <= 360, `the page is ${width} px wide where 360 are there`);
}
