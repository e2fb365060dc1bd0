// SPDX-License-Identifier: MIT
// The player with a personal station, in a real Chromium against the real daemons: its start and its controls, the limit
// of such stations, and recovery after the server or the station has gone.
//
// Environment: see daemons.mjs, of which the daemons' binaries are required, and browser.mjs.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { open_page, press_play, screenshot, until_playing, with_player } from "./browser.mjs";
import {
  address, assert_fits, assert_sounds, card, CONFIG, daemons, GONE, own_card, sentence, start_own, station, status,
  until_all_left, with_stations,
} from "./stations.mjs";

with_stations();

test("a personal station plays, its controls work, and so does the way back to the others", async () => {
  await with_player(address(), async (page) => {
    await press_play(page);
    await start_own(page, { preset: "sleep", seed: "42" });
    await assert_sounds(page);
    const { station: name, seed, preset } = await status(page);
    assert.deepEqual([seed, preset], [42, "sleep"]);
    assert.equal(page.url(), address("?station=new&preset=sleep&seed=42"));
    assert.equal(await own_card(page).getAttribute("aria-current"), "true");
    await page.getByText("no other listener hears the changes").waitFor();
    await screenshot(page, "stations-own");

    await page.locator('.preset[data-preset="bright"]').click();
    await page.waitForFunction(() => auralis.status.preset === "bright");
    await page.getByLabel("Intensity").fill("0.25");
    await page.waitForFunction(() => auralis.status.target.intensity === 0.25);
    assert.equal((await station(name)).target.intensity, 0.25);
    assert.equal((await station("default")).preset, "focus");

    await start_own(page, { preset: "focus" });
    assert.notEqual((await status(page)).station, name);
    assert.doesNotMatch(page.url(), /station=p/);
    await assert_fits(page, "stations-own-phone");

    await card(page, "default").click();
    await page.waitForFunction(() => auralis.status.station === "default");
    await until_playing(page);
    assert.equal(await own_card(page).getAttribute("aria-current"), null);
  });
});

test("an invalid seed is refused with a sentence, and has no effect", async () => {
  await with_player(address(), async (page) => {
    await page.getByLabel("Seed").fill("12x");
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("A seed is a whole number").waitFor();
    assert.equal(await page.evaluate(() => auralis.connection), "closed");
  });
});

test("at the limit of personal stations a sentence says so, and playback continues", async () => {
  await until_all_left();
  await with_player(address("?station=meadow"), async (page) => {
    await press_play(page);
    await page.evaluate(async () => {
      window.others = [];
      for (;;) {
        const { places } = await (await fetch("api/status")).json();
        if (places.free === 0) return;
        const socket = new WebSocket(new URL("ws/stream?station=new", location.href.replace(/^http/, "ws")));
        window.others.push(socket);
        await new Promise((resolve) => { socket.onopen = resolve; });
      }
    });
    await page.getByRole("button", { name: "Start" }).click();
    await sentence(page, "The limit of personal stations is reached");
    await assert_sounds(page);
    assert.equal((await status(page)).station, "meadow");
    await screenshot(page, "stations-full");

    // A link is refused likewise, and its page is silent.
    const other = await page.context().newPage();
    await open_page(other, address("?station=new&preset=focus"));
    await other.getByRole("button", { name: "Play" }).click();
    await sentence(other, "The limit of personal stations is reached");
    await other.locator("#state", { hasText: "Ready" }).waitFor();
    assert.equal(await other.getByRole("button", { name: "Play" }).count(), 1);
  });
  await until_all_left();
});

test("a personal station opened by its name does not show the name", async () => {
  await with_player(address(), async (page) => {
    await start_own(page, { preset: "sleep", seed: "5" });
    const { station: name } = await status(page);
    const other = await page.context().newPage();
    await open_page(other, address(`?station=${name}`));
    await press_play(other);
    assert.equal((await status(other)).station, name);
    assert.match(other.url(), /\?station=new&seed=5&/);
  });
});

test("a personal station is found again by its name when streamd has been restarted", async () => {
  await with_player(address(), async (page) => {
    await start_own(page, { preset: "sleep", seed: "11" });
    const { station: name } = await status(page);
    await daemons.streamd.stop("SIGKILL");
    await page.waitForFunction(() => auralis.connection === "waiting");
    daemons.streamd.start();
    await until_playing(page);
    assert.equal((await status(page)).station, name);
    await assert_sounds(page);
  }, { expected: GONE });
});

test("a personal station that was stopped for long continues where it was", async () => {
  const link = (await station("night")).permalink.replace(/at=\d+/, "at=1800");
  await with_player(address(link), async (page) => {
    await press_play(page);
    await page.waitForTimeout(2000);                            // time for the player to request the permalink
    const { station: name } = await status(page);
    await page.getByRole("button", { name: "Stop" }).click();
    const { sample_index } = await station(name);
    await page.getByText("can be changed while it plays").waitFor();
    assert.equal(await page.getByLabel("Key", { exact: true }).isDisabled(), true);
    await page.waitForTimeout(10500);
    await until_all_left();
    await press_play(page);
    const now = await status(page);
    assert.notEqual(now.station, name);
    assert.equal(now.seed, 7);
    const frames = now.sample_index - sample_index;
    assert.ok(Math.abs(frames) < 2 * now.sample_rate, `started ${frames} frames from where it was stopped`);
    assert.equal(await page.getByLabel("Key", { exact: true }).isEnabled(), true);
  });
});

test("a personal station that no longer exists continues where it was", async () => {
  const link = (await station("night")).permalink.replace(/at=\d+/, "at=1800");
  await with_player(address(link), async (page) => {
    await press_play(page);
    const before = await status(page);
    await page.waitForTimeout(2000);                            // time for the player to request the permalink
    const seq = await page.evaluate(() => auralis.seq);
    await daemons.synthd.stop();
    rmSync(path.join(daemons.directory, "synthd"), { recursive: true });
    daemons.synthd.start();
    await page.waitForFunction((name) => auralis.status.personal && auralis.status.station !== name, before.station);
    // What was buffered before plays until then; the new synthd counts from 0.
    await page.waitForFunction((seq) => auralis.seq < seq, seq);
    await until_playing(page);
    const now = await status(page);
    assert.equal(now.seed, 7);
    assert.ok(now.bar >= before.bar && now.bar <= before.bar + 2, `bar ${before.bar}, then ${now.bar}`);
    await assert_sounds(page);
    assert.doesNotMatch(page.url(), /station=p/);
  }, { expected: GONE });
});

test("a personal station that cannot be reopened at the limit says so, and continues once it can", async () => {
  const crowd = Array.from({ length: 8 }, (_, i) => `[[station]]\nname = "crowd-${i}"\n`).join("");
  await with_player(address("?station=new&preset=bright&seed=9"), async (page) => {
    await press_play(page);
    const before = await status(page);
    await page.waitForTimeout(2000);
    await daemons.synthd.stop();
    rmSync(path.join(daemons.directory, "synthd"), { recursive: true });
    daemons.configure(crowd);
    daemons.synthd.start();
    await sentence(page, "Your station ended, and the limit of personal stations is reached");
    await page.locator("#state", { hasText: "Reconnecting" }).waitFor();
    daemons.configure(CONFIG);
    await until_playing(page);
    const now = await status(page);
    assert.notEqual(now.station, before.station);
    assert.ok(now.sample_index > before.sample_index, `from ${before.sample_index} to ${now.sample_index}`);
    assert.equal(await page.locator("#sentence").innerText(), "");
  }, { expected: GONE });
});
