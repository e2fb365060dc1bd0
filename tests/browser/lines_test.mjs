// SPDX-License-Identifier: MIT
// What is heard when streamd dies and comes back, and on a slow line: recorded behind the player's volume, in a real Chromium against
// the real daemons.
//
// Environment: see daemons.mjs and browser.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { ALONE, open_page, PLAIN_HTTP_NAME, press_play, record, with_browser, with_player } from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";
import { slow_line } from "./slow_line.mjs";

const AT_ONCE_MS = 1200;               // buffered within a second of the first sound
const RETURN_MS = 500;                 // longer than streamd is away a listener never waits for it
const STREAMD_GONE = /WebSocket connection|^failed|ERR_|50[23]/;

let daemons;
before(async () => { daemons = await start_daemons(); });
after(() => daemons?.stop());

// What players have reported so far.
async function reported() {
  const text = await (await fetch(new URL("metrics", daemons.metrics_url))).text();
  const value = (name) => Number(text.match(new RegExp(`^auralis_player_${name} (\\S+)$`, "m"))[1]);
  return { begun: value("startup_ms_count"), played_ms: value("listened_ms_total"), silence_ms: value("silence_ms_total") };
}

const silence_ms = (silences) => silences.reduce((sum, { ms }) => sum + ms, 0);

test("a second after the first sound the buffer outlasts a second without a gap", ALONE, async () => {
  await with_player(daemons.player_url, async (page) => {
    await page.getByRole("button", { name: "Play" }).click();
    await page.waitForFunction(() => auralis.playing, null, { polling: 20 });
    await sleep(1000);
    const buffer_ms = await page.evaluate(() => auralis.bufferMs);
    assert.ok(buffer_ms >= AT_ONCE_MS, `${buffer_ms} ms`);
    let seen = await reported();
    for (; seen.begun === 0; seen = await reported()) await sleep(200);
    assert.equal(seen.begun, 1);
    assert.ok(seen.played_ms > 1000 && seen.silence_ms === 0, JSON.stringify(seen));
  });
});

for (const away_ms of [300, 1000, 5000]) {
  test(`streamd is killed, and back after ${away_ms} ms: without a gap where the buffer lasts`, ALONE, async () => {
    await with_player(daemons.player_url, async (page) => {
      await press_play(page);
      await page.waitForFunction((ms) => auralis.bufferMs >= ms, AT_ONCE_MS);
      const recorder = await record(page);
      await sleep(6000);               // a connection that lasted
      const { buffer_ms, skips } = await page.evaluate(() => ({ buffer_ms: auralis.bufferMs, skips: auralis.skips }));
      assert.ok(buffer_ms >= AT_ONCE_MS, `${buffer_ms} ms buffered`);
      await daemons.streamd.stop("SIGKILL");
      await sleep(away_ms);
      daemons.streamd.start();
      await page.waitForFunction(() => auralis.connection === "open");
      await sleep(3000);
      const heard = await recorder.stop();
      const silent_ms = silence_ms(heard.silences);
      console.log(`away for ${away_ms} ms with ${Math.round(buffer_ms)} ms buffered: ${Math.round(silent_ms)} ms of silence`);
      assert.ok(heard.recorded_ms > 8000 + away_ms, `only ${heard.recorded_ms} ms recorded`);
      const most_ms = away_ms <= AT_ONCE_MS ? 0 : away_ms - buffer_ms + RETURN_MS;
      assert.ok(silent_ms <= most_ms, JSON.stringify(heard.silences));
      const after = await page.evaluate(() => ({ skips: auralis.skips, gaps: auralis.gaps }));
      assert.equal(after.skips, skips);
      if (away_ms <= AT_ONCE_MS) assert.equal(after.gaps, 0, "chunks are missing");
    }, { expected: STREAMD_GONE });
  });
}

test("a line of 256 kbit/s with 80 to 140 ms of delay plays within 4 s, and after 10 s without a gap", ALONE, async () => {
  const line = await slow_line(daemons.player_url, { kbit_s: 256, delay_ms: 80, jitter_ms: 60 });
  try {
    await with_browser(async (page) => {
      await open_page(page, line.url);
      const pressed_ms = performance.now();
      await page.getByRole("button", { name: "Play" }).click();
      await page.waitForFunction(() => auralis.playing, null, { polling: 20 });
      const took_ms = performance.now() - pressed_ms;
      const recorder = await record(page);
      await sleep(20_000);
      const { silences, recorded_ms } = await recorder.stop();
      console.log(`sound after ${Math.round(took_ms)} ms; silences: ${JSON.stringify(silences)}`);
      assert.ok(recorded_ms > 18_000, `only ${recorded_ms} ms recorded`);
      assert.ok(took_ms < 4000, `${took_ms} ms`);
      assert.ok(silences.length <= 1, JSON.stringify(silences));
      assert.ok(silences.every(({ at_ms }) => at_ms + took_ms < 10_000), JSON.stringify(silences));
      assert.equal(await page.evaluate(() => auralis.codec), "opus");
    });
  } finally {
    await line.close();
  }
});

// Until the page is ready, and from the press of play to the first sound.
async function visit(url) {
  let ready_ms;
  let sound_ms;
  await with_browser(async (page) => {
    const opened_ms = performance.now();
    await page.goto(url, { waitUntil: "commit" });
    await page.locator("#now", { hasText: /\S/ }).waitFor();
    await page.locator(".preset").first().waitFor();
    ready_ms = performance.now() - opened_ms;
    await page.waitForLoadState("networkidle");
    const sound = page.evaluate(() => new Promise((resolve) => {
      const samples = new Float32Array(2048);
      let pressed_ms = 0;
      document.querySelector("#play").addEventListener("click", () => { pressed_ms = performance.now(); }, { capture: true });
      const look = () => {
        auralis.analyser?.getFloatTimeDomainData(samples);
        if (samples.some((sample) => sample !== 0)) resolve(performance.now() - pressed_ms);
        else setTimeout(look, 5);
      };
      look();
    }));
    await page.getByRole("button", { name: "Play" }).click();
    sound_ms = await sound;
  });
  return { ready_ms, sound_ms };
}

test("a round trip of 150 ms: ready within a second, sound 0.6 s after the click, without a gap before", ALONE, async () => {
  const line = await slow_line(daemons.player_url, { round_trip_ms: 150 });
  try {
    const visits = [];
    const is_quick = ({ ready_ms, sound_ms }) => ready_ms < 1000 && sound_ms < 600;
    // Up to three: the machine may stand still.
    while (visits.length < 3 && !visits.some(is_quick)) visits.push(await visit(line.url));
    console.log(visits.map(({ ready_ms, sound_ms }) => `ready after ${Math.round(ready_ms)} ms, sound after ${Math.round(sound_ms)} ms`).join("; "));
    assert.ok(visits.some(is_quick), JSON.stringify(visits));
  } finally {
    await line.close();
  }
});

// What leaves the volume in `ms`, as the browser itself records it, while the page is busy: its silences of 20 ms and more, in ms.
const record_by_browser = (page, ms) => page.evaluate(async (ms) => {
  const LEAST_S = 0.02;
  const SILENCE = 1e-4;
  const { analyser } = auralis;
  const target = analyser.context.createMediaStreamDestination();
  analyser.connect(target);
  const recorder = new MediaRecorder(target.stream);
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start(1000);
  await new Promise((resolve) => setTimeout(resolve, ms));
  recorder.stop();
  await stopped;
  const sound = await new OfflineAudioContext(2, 1, 48000).decodeAudioData(await new Blob(pieces).arrayBuffer());
  const [left, right] = [sound.getChannelData(0), sound.getChannelData(1)];
  const silences = [];
  let quiet = 0;
  for (let i = 0; i < left.length; ++i) {
    if (Math.abs(left[i]) < SILENCE && Math.abs(right[i]) < SILENCE) ++quiet;
    else if (quiet > 0) {
      if (quiet / sound.sampleRate >= LEAST_S) silences.push(quiet * 1000 / sound.sampleRate);
      quiet = 0;
    }
  }
  return { recorded_ms: sound.duration * 1000, silences };
}, ms);

test("over plain http a minute is heard without a gap, though the page is busy for 200 ms each 5 s", ALONE, async () => {
  const url = new URL(daemons.player_url);
  url.hostname = PLAIN_HTTP_NAME;
  const before = await reported();
  await with_player(url.href, async (page) => {
    await press_play(page);
    assert.equal(await page.evaluate(() => auralis.mode), "element");
    await page.evaluate(() => setInterval(() => {
      const end_ms = performance.now() + 200;
      while (performance.now() < end_ms);
    }, 5000));
    await sleep(2000);
    const heard = await record_by_browser(page, 60_000);
    console.log(`plain http: ${heard.silences.length} silences in ${Math.round(heard.recorded_ms)} ms`);
    assert.ok(heard.recorded_ms > 55_000, `only ${heard.recorded_ms} ms recorded`);
    assert.deepEqual(heard.silences, []);
    assert.equal(await page.evaluate(() => auralis.underruns), 0, "underruns");
    const after = await reported();
    assert.equal(after.begun, before.begun + 1);
    assert.ok(after.played_ms > before.played_ms + 50_000, JSON.stringify([before, after]));
  });
});
