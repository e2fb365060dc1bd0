// SPDX-License-Identifier: MIT
// The player with several stations, in a real Chromium against the real daemons: choice, personal and closed stations, links,
// and recovery after a server or a station has gone. It does not test two listeners in two browsers against each other.
//
// Environment: see daemons.mjs, of which the daemons' binaries are required, and browser.mjs.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import {
  ALONE, freeze_browser, listen, open_page, PLAIN_HTTP_NAME, press_play, screenshot, SILENCE_DB, until_playing, with_player,
} from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";

const CONFIG = `
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
const LISTEN_MS = 2500;
const GONE = /WebSocket connection|ERR_CONNECTION|status of 40|^40|^failed/;

let daemons;
before(async () => { daemons = await start_daemons({ config: CONFIG }); });
after(() => daemons?.stop());

const address = (query = "") => new URL(query, daemons.player_url).href;

async function told(query = "") {
  return (await fetch(address(`api/status${query}`))).json();
}

async function station(name) {
  return (await told(`?station=${name}`)).stations[0];
}

// Waits until the personal stations of earlier tests have ended, some seconds after they were left.
async function until_all_left() {
  while ((await told()).places.personal > 0) await new Promise((resolve) => setTimeout(resolve, 200));
}

const status = (page) => page.evaluate(() => auralis.status);
const sentence = (page, text) => page.locator("#sentence", { hasText: text }).waitFor();
const card = (page, name) => page.locator(`#stations [data-station="${name}"]`);

async function start_own(page, { preset, seed }) {
  const before = (await status(page))?.station;
  await page.getByLabel("A station of your own").selectOption(preset);
  if (seed) {
    if (!await page.locator("#own details[open]").count()) await page.getByText("Seed", { exact: true }).click();
    await page.getByLabel("The same seed").fill(seed);
  }
  await page.getByRole("button", { name: "Start" }).click();
  await page.waitForFunction((before) => auralis.status?.personal && auralis.status.station !== before, before);
  await until_playing(page);
}

async function assert_sounds(page) {
  const heard = await listen(page, LISTEN_MS);
  assert.ok(heard.loudest_db > SILENCE_DB, `loudest ${heard.loudest_db} dB`);
  assert.ok(heard.chunks > 0, "chunks were played");
  return heard;
}

async function assert_fits(page, name) {
  await page.setViewportSize({ width: 360, height: 780 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  await screenshot(page, name);
  assert.ok(width <= 360, `the page is ${width} px wide where 360 are there`);
}

test("another station is chosen while one plays, and heard without a gap", ALONE, async () => {
  await with_player(address(), async (page) => {
    assert.equal(await card(page, "default").getAttribute("aria-current"), "true");
    assert.match(await card(page, "night").innerText(), /Night\s+Sleep · 0\slisteners/);
    await press_play(page);
    await card(page, "night").click();
    await page.waitForFunction(() => auralis.status.station === "night");
    await until_playing(page);
    const heard = await assert_sounds(page);
    assert.equal(heard.underruns, 0, "underruns");
    assert.equal(heard.gaps, 0, "gaps");
    assert.equal(page.url(), address("?station=night"));
    assert.equal(await card(page, "night").getAttribute("aria-current"), "true");
    assert.equal(await card(page, "default").getAttribute("aria-current"), null);
    await page.locator("#now", { hasText: "E phrygian · 40 bpm" }).waitFor();
    assert.equal((await station("night")).listeners, 1);
    assert.equal((await station("default")).listeners, 0);
    await screenshot(page, "stations-desktop");
  });
});

test("a station chosen before play plays at once, also from the keyboard", async () => {
  await with_player(address(), async (page) => {
    await card(page, "meadow").focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => auralis.status?.station === "meadow");
    await until_playing(page);
    assert.equal(await page.evaluate(() => document.activeElement.dataset.station), "meadow");
  });
});

test("the controls of a closed station are disabled, with the reason and a way to a personal one", async () => {
  await with_player(address("?station=night"), async (page) => {
    await press_play(page);
    assert.equal((await status(page)).station, "night");
    await page.getByText("listeners cannot change it").waitFor();
    assert.equal(await page.getByLabel("Key").isDisabled(), true);
    assert.equal(await page.getByRole("switch", { name: "Pads" }).isDisabled(), true);
    assert.equal(await page.locator(".preset:enabled").count(), 0);
    assert.equal(await page.getByLabel("Volume").isEnabled(), true);
    await screenshot(page, "stations-closed");
    await page.getByRole("button", { name: "A station of your own" }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), "own_preset");
    await assert_fits(page, "stations-closed-phone");
  });
});

test("a personal station plays, its controls work, and so does the way back to the others", async () => {
  await with_player(address(), async (page) => {
    await press_play(page);
    await start_own(page, { preset: "sleep", seed: "42" });
    await assert_sounds(page);
    const { station: name, seed, preset } = await status(page);
    assert.deepEqual([seed, preset], [42, "sleep"]);
    assert.equal(page.url(), address("?station=new&preset=sleep&seed=42"));
    assert.equal(await page.getByRole("button", { name: "Your own" }).getAttribute("aria-current"), "true");
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
    assert.equal(await page.getByRole("button", { name: "Your own" }).count(), 0);
  });
});

test("a change of station does not time out if the browser was frozen meanwhile", async () => {
  await with_player(address(), async (page) => {
    await press_play(page);
    daemons.streamd.process.kill("SIGSTOP");
    try {
      await card(page, "night").click();
      await freeze_browser(11_000);                             // longer than a change may take
    } finally {
      daemons.streamd.process.kill("SIGCONT");
    }
    await page.waitForFunction(() => auralis.status.station === "night");
    await until_playing(page);
    assert.equal(await page.locator("#sentence").innerText(), "");
  }, { expected: GONE });
});

test("a preset that is not sent yet does not apply to the next station", async () => {
  await with_player(address(), async (page) => {
    await press_play(page);
    const { request, preset } = await station("meadow");
    await page.evaluate(() => {
      const buttons = ["sleep", "focus"].map((name) => document.querySelector(`.preset[data-preset="${name}"]`));
      for (let i = 0; i < 12; ++i) buttons[i % 2].click();
    });
    await card(page, "meadow").click();
    await page.waitForFunction(() => auralis.status.station === "meadow");
    await page.waitForTimeout(9000);                            // the last of twelve might have been sent by then
    const now = await station("meadow");
    assert.deepEqual([now.request, now.preset], [request, preset]);
  });
});

test("an invalid seed is refused with a sentence, and has no effect", async () => {
  await with_player(address(), async (page) => {
    await page.getByText("Seed", { exact: true }).click();
    await page.getByLabel("The same seed").fill("12x");
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

test("a permalink starts at its moment once play is pressed", async () => {
  const { permalink } = await station("night");
  const link = permalink.replace(/at=\d+/, "at=1800");          // at 40 bpm a bar lasts 6 s: it starts at bar 30
  await with_player(address(link), async (page) => {
    await page.locator("#now", { hasText: "A shared moment" }).waitFor();
    await page.locator("#next", { hasText: "3 min into its music" }).waitFor();
    assert.equal(await page.evaluate(() => auralis.connection), "closed");
    assert.equal(await page.getByLabel("Key").isDisabled(), true);
    await screenshot(page, "stations-link");
    await press_play(page);
    await assert_sounds(page);
    const { personal, seed, preset, bar } = await status(page);
    assert.deepEqual([personal, seed, preset], [true, 7, "sleep"]);
    assert.ok(bar >= 30 && bar <= 32, `bar ${bar}`);
    assert.equal(page.url(), address(link));
  });
});

test("a link of another sample rate is refused with a sentence", async () => {
  const { permalink } = await station("night");
  const expected = /WebSocket connection/;
  await with_player(address(permalink.replace("rate=44100", "rate=48000")), async (page) => {
    await page.getByRole("button", { name: "Play" }).click();
    await sentence(page, "The link was made for 48000 Hz");
    assert.equal(await page.evaluate(() => auralis.connection), "closed");
  }, { expected });
});

test("sharing copies a link that opens what is heard", async () => {
  await with_player(address("?station=meadow"), async (page) => {
    await press_play(page);
    await page.getByRole("button", { name: "Share this moment" }).click();
    await sentence(page, "The link is copied");
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(link.startsWith(address("?station=new&seed=3&rate=44100&chunk=100&at=")), link);
    const { bar } = await status(page);
    await open_page(page, link);
    await press_play(page);
    const opened = await status(page);
    assert.deepEqual([opened.personal, opened.seed, opened.preset], [true, 3, "bright"]);
    assert.ok(Math.abs(opened.bar - bar) <= 2, `shared at bar ${bar}, opened at ${opened.bar}`);
  }, { permissions: ["clipboard-read", "clipboard-write"] });
});

test("without a clipboard the link is shown, selected", async () => {
  const url = new URL(daemons.player_url);
  url.hostname = PLAIN_HTTP_NAME;
  await with_player(url.href, async (page) => {
    await page.getByRole("button", { name: "Share this moment" }).click();
    await sentence(page, "Copy this link");
    const link = await page.getByLabel("Link").inputValue();
    assert.ok(link.startsWith(new URL("?station=new&seed=1&", url).href), link);
    assert.equal(await page.evaluate(() => getSelection().toString()), link);
    await assert_fits(page, "stations-link-shown-phone");
  });
});

test("an unknown station's name is answered with the available stations, and the default one", async () => {
  await with_player(address("?station=nowhere"), async (page) => {
    await sentence(page, "There is no station “nowhere”. Available stations: default, night, meadow. Press play for the default station.");
    await screenshot(page, "stations-unknown");
    assert.equal(page.url(), address());
    await press_play(page);
    assert.equal((await status(page)).station, "default");
  }, { expected: GONE });
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
    assert.equal(await page.getByLabel("Key").isDisabled(), true);
    await page.waitForTimeout(10500);
    await until_all_left();
    await press_play(page);
    const now = await status(page);
    assert.notEqual(now.station, name);
    assert.equal(now.seed, 7);
    const frames = now.sample_index - sample_index;
    assert.ok(Math.abs(frames) < 2 * now.sample_rate, `started ${frames} frames from where it was stopped`);
    assert.equal(await page.getByLabel("Key").isEnabled(), true);
  });
});

test("a station that the operator removes is reported, and the default one is offered", async () => {
  await with_player(address("?station=meadow"), async (page) => {
    await press_play(page);
    daemons.configure(CONFIG.slice(0, CONFIG.lastIndexOf("[[station]]")));
    await sentence(page, "The station “meadow” no longer exists. Available stations: default, night. Press play for the default station.");
    await page.locator("#state", { hasText: "Ready" }).waitFor();
    await card(page, "meadow").waitFor({ state: "detached" });
    assert.equal(page.url(), address());
    await press_play(page);
    assert.equal((await status(page)).station, "default");
    daemons.configure(CONFIG);
    await card(page, "meadow").waitFor();
  });
});

test("a personal station that no longer exists continues where it was", async () => {
  const link = (await station("night")).permalink.replace(/at=\d+/, "at=1800");
  await with_player(address(link), async (page) => {
    await press_play(page);
    const before = await status(page);
    await page.waitForTimeout(2000);                            // time for the player to request the permalink
    await daemons.synthd.stop();
    rmSync(path.join(daemons.directory, "synthd"), { recursive: true });
    daemons.synthd.start();
    await page.waitForFunction((name) => auralis.status.personal && auralis.status.station !== name, before.station);
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
