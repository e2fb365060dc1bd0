// SPDX-License-Identifier: MIT
// The player in a real Chromium against the real daemons: what a listener sees and what reaches the audio graph. It proves
// neither that a loudspeaker plays, nor that other browsers behave the same.
//
// Environment: see daemons.mjs and browser.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  ALONE, freeze_browser, LIMIT_MS, listen, PLAIN_HTTP_NAME, press_play, screenshot, SILENCE_DB, until_playing, with_player,
} from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";

const LISTEN_MS = 5000;

let daemons;
before(async () => { daemons = await start_daemons(); });
after(() => daemons?.stop());

async function read_metrics() {
  return (await fetch(new URL("metrics", daemons.metrics_url))).text();
}

// The sum of a metric's series.
function total(exposition, name) {
  const series = new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, "gm");
  return [...exposition.matchAll(series)].reduce((sum, [, value]) => sum + Number(value), 0);
}

async function until(what, predicate) {
  const limit = Date.now() + LIMIT_MS;
  while (Date.now() < limit) {
    if (await predicate()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.fail(`${what}: not within ${LIMIT_MS / 1000} s`);
}

test("while it plays, screen readers are told at most once in ten seconds, and the button has one name", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    const changes = await page.evaluate(() => new Promise((resolve) => {
      const seen = [];
      const observer = new MutationObserver((records) => seen.push(...records.map(({ target }) => target.id || target.parentElement?.id)));
      const regions = document.querySelectorAll("[aria-live], output, [role=status], [role=alert], [role=log]");
      for (const region of regions) observer.observe(region, { childList: true, characterData: true, subtree: true });
      setTimeout(() => resolve(seen), 10_000);
    }));
    assert.ok(changes.length <= 1, JSON.stringify(changes));
    const play = page.getByRole("button", { name: "Stop" });
    assert.equal(await play.getAttribute("aria-pressed"), null);
  });
});

test("forced colours hide no control", async () => {
  await with_player(daemons.player_url, async (page) => {
    const hidden = await page.evaluate(() => {
      const parts = { "input[type=range]": ["::-webkit-slider-thumb", "::-webkit-slider-runnable-track"], ".switch input": ["::before"] };
      const backdrop = getComputedStyle(document.body).backgroundColor;
      return Object.entries(parts).flatMap(([selector, pseudos]) => [...document.querySelectorAll(selector)].flatMap((control) =>
        pseudos.map((pseudo) => [control.id, pseudo, getComputedStyle(control, pseudo).backgroundColor])
            .filter(([, , colour]) => colour === backdrop || colour === "rgba(0, 0, 0, 0)")));
    });
    assert.deepEqual(hidden, []);
    await screenshot(page, "player-forced-colors");
  }, { forcedColors: "active" });
});

test("play starts sound without a gap, and the listener's reports reach the metrics", ALONE, async () => {
  const reports_before = total(await read_metrics(), "audio_end_to_end_latency_ms_count");
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    assert.equal(await page.evaluate(() => auralis.mode), "worklet");

    const heard = await listen(page, LISTEN_MS);
    const chunk_ms = await page.evaluate(() => auralis.status.chunk_ms);
    assert.ok(heard.loudest_db > SILENCE_DB, `loudest ${heard.loudest_db} dB`);
    assert.equal(heard.underruns, 0, "underruns");
    assert.equal(heard.gaps, 0, "gaps");
    // The position is reported ten times a second, and a start may be followed by one skip.
    assert.ok(Math.abs(heard.chunks * chunk_ms - heard.listened_ms) < 500, `${heard.chunks} chunks in ${heard.listened_ms} ms`);
    await screenshot(page, "player-desktop");
    await page.setViewportSize({ width: 390, height: 844 });
    await screenshot(page, "player-phone");

    let metrics = "";
    await until("a playback report in the metrics", async () => {
      metrics = await read_metrics();
      return total(metrics, "audio_end_to_end_latency_ms_count") > reports_before;
    });
    const mean_ms = total(metrics, "audio_end_to_end_latency_ms_sum") / total(metrics, "audio_end_to_end_latency_ms_count");
    // Two clocks are read one after the other: on a busy machine the estimate's error is the time in between.
    assert.ok(mean_ms > -200 && mean_ms < 2000, `mean end-to-end latency ${mean_ms} ms`);
    console.log(`level ${heard.quietest_db.toFixed(1)} to ${heard.loudest_db.toFixed(1)} dB, latency ${mean_ms.toFixed(1)} ms`);
  }, { reducedMotion: "no-preference" });
});

// Waits for `count` reports since `before`; returns their mean.
async function until_reported(before, count) {
  const [name, sum] = ["audio_end_to_end_latency_ms_count", "audio_end_to_end_latency_ms_sum"];
  let now = "";
  await until("playback reports in the metrics", async () => {
    now = await read_metrics();
    return total(now, name) >= total(before, name) + count;
  });
  return (total(now, sum) - total(before, sum)) / (total(now, name) - total(before, name));
}

const assert_latency = (ms) => assert.ok(ms > -200 && ms < 4000, `latency ${ms} ms`);

test("the latency is right whatever the listener's clocks say about the time of day", async () => {
  const before = await read_metrics();
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await page.waitForFunction(() => auralis.latencyMs !== null);
    assert_latency(await page.evaluate(() => auralis.latencyMs));
    await page.evaluate(() => { window.wall_step_ms = -3_600_000; });
    assert_latency(await until_reported(before, 2));
    await page.waitForFunction(() => auralis.latencyMs !== null);
    assert_latency(await page.evaluate(() => auralis.latencyMs));
  }, {
    prepare: () => {
      // The page's clock differs from the worker's by one hour, and is set later.
      window.wall_step_ms = 3_600_000;
      const now = Date.now;
      Date.now = () => now() + window.wall_step_ms;
      const origin_ms = performance.timeOrigin + window.wall_step_ms;
      Object.defineProperty(Performance.prototype, "timeOrigin", { get: () => origin_ms });
    },
  });
});

test("the latency recovers if the page's clock counted a sleep that the connection's thread did not", async () => {
  const before = await read_metrics();
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await page.waitForFunction(() => auralis.latencyMs !== null);
    await page.evaluate(() => { window.slept_ms = 3_600_000; });
    await page.waitForTimeout(200);                             // for the next report of the audio thread
    const shown_ms = await page.waitForFunction(() => auralis.latencyMs);
    assert_latency(await shown_ms.jsonValue());
    assert_latency(await until_reported(before, 2));
  }, {
    prepare: () => {
      window.slept_ms = 0;
      const now = performance.now.bind(performance);
      performance.now = () => now() + window.slept_ms;
    },
  });
});

test("a browser that was frozen for a while keeps its connection, and reports no false latency", async () => {
  const before = await read_metrics();
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await page.waitForFunction(() => auralis.latencyMs !== null);
    await page.evaluate(() => {
      window.states = new Set();
      new MutationObserver(() => window.states.add(document.body.dataset.state)).observe(document.body, { attributes: true });
    });
    await freeze_browser(9000);
    await until_playing(page);
    assert_latency(await until_reported(before, 2));
    const states = await page.evaluate(() => [...window.states]);
    assert.ok(!states.includes("reconnecting") && !states.includes("connecting"), states.join(", "));
  });
});

test("presets chosen faster than the rate limit end with the last one, even if the page was blocked", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await page.evaluate(() => {
      const buttons = ["sleep", "bright"].map((name) => document.querySelector(`.preset[data-preset="${name}"]`));
      for (let i = 0; i < 16; ++i) buttons[i % 2].click();
      const end_ms = performance.now() + 12_000;
      while (performance.now() < end_ms);
    });
    await page.waitForFunction(() => auralis.status.preset === "bright");
    await page.locator('.preset[data-preset="bright"][aria-pressed="true"]:not(.pending)').waitFor();
    assert.equal(await page.locator("#error").isVisible(), false);
  });
});

test("a preset is confirmed by the station and shown", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    const { preset, request } = await page.evaluate(() => auralis.status);
    const wanted = preset === "bright" ? "sleep" : "bright";
    await page.locator(`.preset[data-preset="${wanted}"]`).click();

    await page.waitForFunction(
      ({ wanted, request }) => auralis.status.request > request && auralis.status.preset === wanted, { wanted, request });
    await page.locator(`.preset[data-preset="${wanted}"][aria-pressed="true"]:not(.pending)`).waitFor();
    const { presets } = await (await fetch(new URL("api/presets", daemons.player_url))).json();
    const { key, mode, bpm } = presets.find(({ name }) => name === wanted).parameters;
    await page.locator("#technical", { hasText: `${key} ${mode} · ${bpm} bpm` }).waitFor();
    assert.equal(await page.getByLabel("Key", { exact: true }).inputValue(), key);
    assert.equal(await page.getByLabel("Mode").inputValue(), mode);
    await screenshot(page, "player-preset");
  });
});

test("stop closes the connection and ends the sound", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator("#state", { hasText: "Ready" }).waitFor();
    assert.deepEqual(
      await page.evaluate(() => [auralis.connection, auralis.playing, auralis.analyser]), ["closed", false, null]);
  });
});

test("without a secure context the browser plays the sound itself, and the page says so", async () => {
  const url = new URL(daemons.player_url);
  url.hostname = PLAIN_HTTP_NAME;
  await with_player(url.href, async (page) => {
    await press_play(page);
    assert.equal(await page.evaluate(() => auralis.mode), "element");
    await page.locator("#notice", { hasText: "https" }).waitFor();
    const heard = await listen(page, LISTEN_MS);
    assert.ok(heard.loudest_db > SILENCE_DB, `loudest ${heard.loudest_db} dB`);
    const { listeners } = (await (await fetch(new URL("api/status", daemons.player_url))).json()).stations[0];
    assert.equal(listeners, 1, "the connection for messages is no listener");
    // A station of one's own has an address by its name, too.
    await page.getByRole("button", { name: "Start" }).click();
    await page.waitForFunction(() => auralis.status?.personal);
    await until_playing(page);
    assert.ok((await listen(page, LISTEN_MS)).loudest_db > SILENCE_DB, "the own station is heard");
    await screenshot(page, "player-element");
  });
});
