// SPDX-License-Identifier: MIT
// What a listener sees and presses who knows nothing of music theory or networks: the first screen, the sleep timer, keys, languages, and a
// sentence where something is missing. In a real Chromium against the real daemons.
//
// Environment: see daemons.mjs and browser.mjs.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
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

test("a reload in the last minute of the sleep timer leaves a page that plays, faded", async () => {
  await with_player(daemons.player_url, async (page) => {
    await page.getByLabel("Sleep timer").selectOption("15 minutes");
    await pass(page, 14.4);
    await page.locator('body[data-sleep="soon"]').waitFor();
    await page.reload();
    await page.locator('body[data-sleep="soon"]').waitFor();
    await press_play(page);
  }, { prepare: wall_clock });
});

test("whatever else is in the browser's storage, the page works", async () => {
  for (const value of ["{}", "[null]", "[5]", '"abc"', "nonsense", '[{"choice": "x", "title": "y", "kept_ms": 1e300}]']) {
    await with_player(`${daemons.player_url}?station=new&preset=sleep`, async (page) => {
      await page.evaluate((value) => {
        for (const name of ["own", "moments", "sleep", "volume", "quality", "letters"]) localStorage.setItem(`auralis.${name}`, value);
        history.replaceState({ own: "abc" }, "");
      }, value);
      await page.reload();
      await page.locator(".preset").first().waitFor();
      await page.locator("#places [data-own]", { hasText: "Not heard yet" }).waitFor();
      assert.equal(await page.locator("#moments li").count(), 0);
    });
  }
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
    await page.keyboard.press("?");
    await page.getByLabel("Single letters are keys").uncheck();
    await page.getByRole("button", { name: "Close" }).click();
    await page.keyboard.press("m");
    assert.equal(Number(await value()).toFixed(2), "0.75", "a letter that is no key");
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
    await page.locator("#now", { hasText: "Konzentration: ruhig, weich, mit sanftem Puls" }).waitFor();
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
        await page.route(/threads/, async (route) => {
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

// What a file of PCM says of itself: its length by the header, and the loudest sample.
async function read_wav(download) {
  const bytes = await readFile(await download.path());
  assert.equal(bytes.toString("latin1", 0, 4) + bytes.toString("latin1", 8, 12), "RIFFWAVE");
  assert.equal(bytes.readUInt32LE(40), bytes.length - 44);
  let loudest = 0;
  for (let at = 44; at < bytes.length; at += 2) loudest = Math.max(loudest, Math.abs(bytes.readInt16LE(at)));
  return { seconds: bytes.readUInt32LE(40) / bytes.readUInt32LE(28), loudest };
}

test("what was heard is saved as a file: the last minute, and from now on", async () => {
  await with_player(daemons.player_url, async (page) => {
    assert.equal(await page.getByRole("button", { name: "Save the last minute" }).isDisabled(), true);
    await press_play(page);
    await page.getByRole("button", { name: "Record from now on" }).click();
    await page.getByRole("button", { name: "Stop and save: 0:03" }).waitFor();
    const [last] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save the last minute" }).click()]);
    const [recorded] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Stop and save" }).click()]);
    assert.match(last.suggestedFilename(), /^auralis-.*\.wav$/);
    for (const [file, least_s] of [[last, 3], [recorded, 3]]) {
      const { seconds, loudest } = await read_wav(file);
      assert.ok(seconds >= least_s && seconds < 30, `${seconds} s`);
      assert.ok(loudest > 300, `loudest sample ${loudest}`);
    }
  });
});

test("an hour of what plays is downloaded, and a refusal is told", async () => {
  await with_player(daemons.player_url, async (page) => {
    const button = page.getByRole("button", { name: "Download an hour from now on" });
    const [file] = await Promise.all([page.waitForEvent("download"), button.click()]);
    assert.equal(file.suggestedFilename(), "auralis-1-60-minutes.opus");
    assert.match(file.url(), /\/download\/60\.opus\?station=new&seed=1&.*at=[0-9]+/);
    await page.locator("#sentence", { hasText: "The download begins" }).waitFor();
    await button.click();
    await page.locator("#sentence", { hasText: "renders no more downloads" }).waitFor();
    await file.cancel();
  }, { expected: /^503:|503|\/download\// });
});

test("a page that was open before is there when the server is away, and says so", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.getByRole("button", { name: "Stop" }).click();
    await daemons.streamd.stop("SIGKILL");
    try {
      await page.reload();
      await page.locator("#state", { hasText: "Server not reachable" }).waitFor();
      assert.equal(await page.locator("h1").innerText(), "AURALIS");
      const kept = await page.evaluate(async () => (await (await caches.open("auralis-shell")).keys()).map(({ url }) => new URL(url).pathname));
      assert.deepEqual([...new Set(kept)].sort(), ["/", "/player.js", "/threads.js"]);
    } finally {
      daemons.streamd.start();
    }
    await page.locator("#state", { hasText: "Ready" }).waitFor();
  }, { expected: /ERR_|^failed|50[0-9]|Failed to fetch/ });
});
