// SPDX-License-Identifier: MIT
// What a listener sees and presses who knows nothing of music theory or networks: the first screen, the sleep timer, keys, languages, and a
// sentence where something is missing. In a real Chromium against the real daemons.
//
// Environment: see daemons.mjs and browser.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { TABLES } from "../../streamd/web/strings.js";
import { listen, press_play, screenshot, SILENCE_DB, until_playing, with_browser, with_player } from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";

let daemons;
before(async () => { daemons = await start_daemons(); });
after(() => daemons?.stop());

const JARGON = /bpm|dorian|aeolian|phrygian|lydian|ionian|buffer|latency|seed|\bkey\b|\bmode\b|\d ms\b/i;

for (const [width, height] of [[390, 844], [1440, 900]]) {
  test(`the first screen of ${width} x ${height} has all that a listener needs, in words, without scrolling`, async () => {
    await with_browser(async (page) => {
      await page.goto(daemons.player_url);
      await page.locator(".preset").first().waitFor();
      await page.locator("#now", { hasText: "Focus: calm, mellow, a soft beat" }).waitFor();
      const needed = ["h1", "#play", "#now", "#volume", "#sleep", ".preset[data-preset=focus]", ".preset[data-preset=bright]"];
      for (const selector of needed) {
        const box = await page.locator(selector).boundingBox();
        assert.ok(box && box.y >= 0 && box.y + box.height <= height && box.x + box.width <= width, `${selector}: ${JSON.stringify(box)}`);
      }
      assert.doesNotMatch(await page.locator("body").innerText(), JARGON);
      await screenshot(page, `first-${width}x${height}`);
    }, { viewport: { width, height } });
  });
}

// The page's wall clock, which the test moves.
const wall_clock = () => {
  const now = Date.now;
  window.wall_step_ms = Number(sessionStorage.getItem("wall_step_ms") ?? 0);
  Date.now = () => now() + window.wall_step_ms;
};
const pass = (page, minutes) => page.evaluate((ms) => {
  window.wall_step_ms += ms;
  sessionStorage.setItem("wall_step_ms", window.wall_step_ms);
}, minutes * 60_000);

test("the sleep timer outlives a reload, fades over the last minute, and stops the music", async () => {
  await with_player(daemons.player_url, async (page) => {
    await page.getByLabel("Sleep timer").selectOption("15 minutes");
    await page.locator("#sleep_left", { hasText: "15 min left" }).waitFor();
    await page.reload();
    await page.locator("#sleep_left", { hasText: "15 min left" }).waitFor();
    assert.equal(await page.getByLabel("Sleep timer").inputValue(), "15");
    await press_play(page);
    const loud = await listen(page, 2000);
    await pass(page, 14.6);
    await page.locator('body[data-sleep="soon"]').waitFor();
    await page.waitForTimeout(1500);                            // a step of the fade
    const fading = await listen(page, 1000);
    assert.ok(fading.loudest_db < loud.loudest_db - 5, `${loud.loudest_db} dB, then ${fading.loudest_db} dB`);
    await pass(page, 1);
    await page.locator("#state", { hasText: "Ready" }).waitFor();
    assert.equal(await page.getByLabel("Sleep timer").inputValue(), "");
    // The next play is as loud as ever.
    await press_play(page);
    assert.ok((await listen(page, 2000)).loudest_db > loud.loudest_db - 10);
  }, { prepare: wall_clock });
});

test("keys play, stop, mute, change the volume, and list themselves", async () => {
  await with_player(daemons.player_url, async (page) => {
    const value = () => page.getByLabel("Volume").inputValue();
    await page.keyboard.press("ArrowLeft");
    assert.equal(Number(await value()).toFixed(2), "0.75");
    await page.keyboard.press("m");
    assert.equal(await value(), "0");
    await page.keyboard.press("m");
    assert.equal(Number(await value()).toFixed(2), "0.75");
    await page.keyboard.press("Space");
    await until_playing(page);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Space");                         // closes: the button has the focus
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    assert.equal(await page.evaluate(() => auralis.connection), "open");
    await page.keyboard.press("f");
    await page.waitForFunction(() => document.fullscreenElement !== null);
    await page.locator('body[data-rest="true"]').waitFor();
    await page.mouse.move(100, 100);
    await page.locator('body:not([data-rest])').waitFor();
    // A field keeps its keys.
    await page.getByLabel("Seed").fill("m f s");
    assert.equal(await page.getByLabel("Seed").inputValue(), "m f s");
  });
});

test("every text of the page is in the table of each language", () => {
  const names = Object.keys(TABLES.en).sort();
  for (const table of Object.values(TABLES)) assert.deepEqual(Object.keys(table).sort(), names);
});

test("the page's own texts are those of the English table, and German listeners get German ones", async () => {
  await with_player(daemons.player_url, async (page) => {
    const texts = await page.evaluate(() => [...document.querySelectorAll("[data-t]")].map((element) => [element.dataset.t, element.textContent]));
    assert.ok(texts.length > 40);
    for (const [name, shown] of texts) assert.equal(shown, TABLES.en[name], name);
  });
  await with_player(daemons.player_url, async (page) => {
    assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
    await page.locator("#now", { hasText: "Konzentration: ruhig, weich, ein sanfter Puls" }).waitFor();
    await page.getByRole("button", { name: "Abspielen" }).click();
    await page.locator("#state", { hasText: "Spielt" }).waitFor();
    const text = await page.locator("body").innerText();
    for (const [name, english] of Object.entries(TABLES.en)) {
      if (typeof english !== "string" || english.length < 12 || english === TABLES.de[name]) continue;
      assert.ok(!text.includes(english), `${name}: ${english}`);
    }
    await screenshot(page, "listener-german");
  }, { locale: "de-DE" });
});

// Something that the player needs is not there, in the realm that uses it: how it is taken away, and what the page says.
const MISSING = {
  "an AudioContext": { prepare: () => { delete window.AudioContext; }, says: "provides no sound output" },
  "a Worker": { prepare: () => { delete window.Worker; }, says: "no background thread" },
  "a script for the worker": { thread: "throw new SyntaxError('modules');", says: "no background thread" },
  "a WebSocket in the worker": { thread: "delete self.WebSocket;", says: "cannot open a WebSocket" },
};

for (const [what, { prepare, thread, says }] of Object.entries(MISSING)) {
  test(`without ${what} one sentence says what to do, and another player remains`, async () => {
    await with_browser(async (page) => {
      if (thread) {
        await page.route(/audio_threads/, async (route) => {
          const response = await route.fetch();
          await route.fulfill({ response, body: thread + await response.text() });
        });
      }
      await page.goto(daemons.player_url);
      await page.locator(".preset").first().waitFor();
      await page.getByRole("button", { name: "Play" }).click();
      await page.locator("#sentence", { hasText: says }).waitFor({ timeout: 5000 });
      await page.locator("#state", { hasText: "Ready" }).waitFor();
      const playlist = await page.getByRole("link", { name: "Listen in another player" }).getAttribute("href");
      assert.match(await (await fetch(new URL(playlist, daemons.player_url))).text(), /^#EXTM3U/);
    }, { prepare, expected: /modules/ });
  });
}

test("without an audio thread the browser plays the sound itself", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    assert.equal(await page.evaluate(() => auralis.mode), "element");
    const heard = await listen(page, 2000);
    assert.ok(heard.loudest_db > SILENCE_DB, `loudest ${heard.loudest_db} dB`);
  }, { prepare: () => { delete AudioContext.prototype.constructor.prototype.audioWorklet; delete BaseAudioContext.prototype.audioWorklet; } });
});

test("a listener who is offline sees it, and hears the music again once the line is back", async () => {
  await with_player(daemons.player_url, async (page) => {
    await page.context().setOffline(true);
    await page.locator("#state", { hasText: "You are offline" }).waitFor();
    await screenshot(page, "listener-offline");
    await page.context().setOffline(false);
    await page.locator("#state", { hasText: "Ready" }).waitFor();
    await press_play(page);
  }, { expected: /ERR_INTERNET|^failed/ });
});
