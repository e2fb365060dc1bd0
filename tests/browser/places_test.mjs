// SPDX-License-Identifier: MIT
// Where a listener goes, and what is still there afterwards: places, one's own station over reloads, back in the history, moments that
// are kept. In a real Chromium against the real daemons.
//
// Environment: see daemons.mjs, of which the daemons' binaries are required, and browser.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";

import { open_page, press_play, screenshot, until_playing, until_shown, with_browser, with_player } from "./browser.mjs";
import { address, card, GONE, own_card, sentence, start_own, station, status, until_all_left, with_stations } from "./stations.mjs";

with_stations();

const preset = (page, name) => page.locator(`.preset[data-preset="${name}"]`);
const until_station = (page, name) => page.waitForFunction((name) => auralis.status?.station === name, name);

test("a preset chosen on a closed station starts an own station of it, at once", async () => {
  await with_player(address("?station=night"), async (page) => {
    await press_play(page);
    await preset(page, "bright").click();
    await page.waitForFunction(() => auralis.status?.personal && auralis.status.preset === "bright");
    await until_playing(page);
    assert.equal((await station("night")).preset, "sleep");
    assert.equal(await own_card(page).getAttribute("aria-current"), "true");
    await page.locator("#now", { hasText: "Bright: lively, light, a soft beat" }).waitFor();
  });
});

test("one's own station continues after a reload with all its changes, and the next day from its place", async () => {
  await until_all_left();
  await with_browser(async (page) => {
    await open_page(page, address());
    await press_play(page);
    await start_own(page, { preset: "sleep", seed: "42" });
    await page.getByLabel("Intensity").fill("0.9");
    await page.waitForFunction(() => auralis.status.parameters.intensity === 0.9);
    const remembers = () => page.waitForFunction(() => JSON.parse(localStorage.getItem("auralis.own"))?.[0].moment.includes("-i0.9"));
    await remembers();
    const before = await status(page);

    await page.reload();
    await until_shown(page);
    await page.locator("#now", { hasText: "Your own station" }).waitFor();
    await press_play(page);
    const reloaded = await status(page);
    assert.deepEqual([reloaded.seed, reloaded.target.intensity], [42, 0.9]);
    assert.ok(Math.abs(reloaded.bar - before.bar) <= 2, `bar ${before.bar}, then ${reloaded.bar}`);
    await remembers();

    // The station has ended meanwhile.
    await page.goto("about:blank");
    await until_all_left();
    await open_page(page, address());
    await own_card(page).filter({ hasText: "Continue: " }).click();
    await page.waitForFunction(() => auralis.status?.personal);
    await until_playing(page);
    const next_day = await status(page);
    assert.deepEqual([next_day.seed, next_day.target.intensity], [42, 0.9]);
    assert.ok(next_day.bar >= reloaded.bar && next_day.bar <= reloaded.bar + 3, `bar ${reloaded.bar}, then ${next_day.bar}`);
  }, { expected: GONE });
});

test("back goes to the station before, and forward again, while it plays", async () => {
  await with_player(address(), async (page) => {
    await press_play(page);
    await card(page, "night").click();
    await until_station(page, "night");
    await card(page, "meadow").click();
    await until_station(page, "meadow");
    await page.goBack();
    await until_station(page, "night");
    await until_playing(page);
    assert.equal(page.url(), address("?station=night"));
    await page.goBack();
    await until_station(page, "default");
    await page.goForward();
    await until_station(page, "night");
    await until_playing(page);
    // Twice at once, before the first is heard: the entry in between stays what it was.
    await page.goForward();
    await until_station(page, "meadow");
    await page.evaluate(() => { history.back(); setTimeout(() => history.back(), 50); });
    await until_station(page, "default");
    await page.goForward();
    await until_station(page, "night");
    assert.equal(page.url(), address("?station=night"));
  });
});

test("a moment is kept over a reload, played again, and taken to another browser as text", async () => {
  let text = "";
  await with_player(address("?station=meadow"), async (page) => {
    await press_play(page);
    await page.getByRole("button", { name: "Keep this moment" }).click();
    await sentence(page, "This moment is kept");
    const { bar } = await status(page);
    await page.reload();
    await until_shown(page);
    text = await page.getByLabel("As text").inputValue();
    await screenshot(page, "places-moments");
    await page.locator("#moments a").click();
    await page.waitForFunction(() => auralis.status?.personal);
    await until_playing(page);
    const now = await status(page);
    assert.deepEqual([now.seed, now.preset], [3, "bright"]);
    assert.ok(Math.abs(now.bar - bar) <= 2, `kept at bar ${bar}, played from ${now.bar}`);
  });
  await with_player(address(), async (page) => {
    await page.getByLabel("As text").fill("nothing of the kind");
    await page.getByRole("button", { name: "Take over from the text" }).click();
    await sentence(page, "This text has no kept moments");
    await page.getByLabel("As text").fill(`${text}\nand a line that is none`);
    await page.getByRole("button", { name: "Take over from the text" }).click();
    await sentence(page, "Kept moments taken over: 1.");
    assert.equal(await page.locator("#moments a").innerText(), "Bright: lively, light, a soft beat");
    await page.getByRole("button", { name: "Remove: Bright" }).click();
    assert.equal(await page.locator("#moments li").count(), 0);
    assert.equal(await page.getByLabel("As text").inputValue(), "");
  });
});

test("a minute back is the music of a minute ago", async () => {
  const link = (await station("night")).permalink.replace(/at=\d+/, "at=1800");
  await with_player(address(link), async (page) => {
    await press_play(page);
    const before = await status(page);
    await page.getByRole("button", { name: "1 min back" }).click();
    await page.waitForFunction((name) => auralis.status?.personal && auralis.status.station !== name, before.station);
    await until_playing(page);
    const after = await status(page);
    assert.equal(after.seed, before.seed);
    // At 40 bpm a bar lasts 6 s: ten bars.
    assert.ok(Math.abs(before.bar - 10 - after.bar) <= 2, `bar ${before.bar}, then ${after.bar}`);
  });
});
