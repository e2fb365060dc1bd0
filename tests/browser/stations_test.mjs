// SPDX-License-Identifier: MIT
// The player with several stations, in a real Chromium against the real daemons: choice, closed stations, links, and
// stations that are unknown or gone. It does not test two listeners in two browsers against each other.
//
// Environment: see daemons.mjs, of which the daemons' binaries are required, and browser.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";

import jsqr from "jsqr";

import {
  ALONE, freeze_browser, open_page, PLAIN_HTTP_NAME, press_play, screenshot, until_playing, with_player,
} from "./browser.mjs";
import {
  address, assert_fits, assert_sounds, card, CONFIG, daemons, GONE, sentence, station, status, with_stations,
} from "./stations.mjs";

with_stations();

test("another station is chosen while one plays, and heard without a gap", ALONE, async () => {
  await with_player(address(), async (page) => {
    assert.equal(await card(page, "default").getAttribute("aria-current"), "true");
    assert.match(await card(page, "night").innerText(), /^Night\s+Sleep: slow, dark, no beat$/);
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
    await page.locator("#now", { hasText: "Sleep: slow, dark, no beat" }).waitFor();
    await page.locator("#technical", { hasText: "E phrygian · 40 bpm" }).waitFor();
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
    assert.equal(await page.getByLabel("Key", { exact: true }).isDisabled(), true);
    assert.equal(await page.getByRole("switch", { name: "Pads" }).isDisabled(), true);
    assert.equal(await page.getByLabel("Volume").isEnabled(), true);
    await screenshot(page, "stations-closed");
    await page.getByRole("button", { name: "A station of your own" }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), "own_preset");
    await assert_fits(page, "stations-closed-phone");
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

test("a permalink starts at its moment once play is pressed", async () => {
  const { permalink } = await station("night");
  const link = permalink.replace(/at=\d+/, "at=1800");          // at 40 bpm a bar lasts 6 s: it starts at bar 30
  await with_player(address(link), async (page) => {
    await page.locator("#now", { hasText: "A shared moment" }).waitFor();
    await page.locator("#hint", { hasText: "3 min into its music" }).waitFor();
    assert.equal(await page.evaluate(() => auralis.connection), "closed");
    assert.equal(await page.getByLabel("Key", { exact: true }).isDisabled(), true);
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

// The text of a QR code that is shown, drawn as pixels and decoded by another library.
async function seen_by_camera(image) {
  await image.waitFor();
  const [path, side] = await image.evaluate((svg) => [svg.querySelector("path").getAttribute("d"), svg.viewBox.baseVal.width]);
  const scale = 4;
  const width = side * scale;
  const pixels = new Uint8ClampedArray(4 * width * width).fill(255);
  for (const [, column, row] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let y = row * scale; y < (+row + 1) * scale; ++y) pixels.fill(0, 4 * (y * width + column * scale), 4 * (y * width + (+column + 1) * scale));
  }
  for (let i = 3; i < pixels.length; i += 4) pixels[i] = 255;
  return jsqr(pixels, width, width)?.data;
}

test("sharing copies a link that opens what is heard", async () => {
  await with_player(address("?station=meadow"), async (page) => {
    await press_play(page);
    await page.getByRole("button", { name: "Share this moment" }).click();
    const dialog = page.getByRole("dialog", { name: "Share this moment" });
    await dialog.getByText("The link is copied").waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(await seen_by_camera(dialog.getByRole("img", { name: "The link as a QR code" })), link);
    await screenshot(page, "stations-link-copied");
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
    await page.getByText("Copy this link").waitFor();
    const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
    assert.ok(link.startsWith(new URL("?station=new&seed=1&", url).href), link);
    assert.equal(await page.evaluate(() => getSelection().toString()), link);
    await assert_fits(page, "stations-link-shown-phone");
  });
});

test("over plain http one station sounds, however fast others are chosen", async () => {
  const url = new URL(daemons.player_url);
  url.hostname = PLAIN_HTTP_NAME;
  await with_player(url.href, async (page) => {
    await press_play(page);
    for (const name of ["night", "meadow", "night", "meadow"]) {
      await card(page, name).click();
      await page.waitForFunction((name) => auralis.status?.station === name, name);
    }
    await page.waitForFunction(() => {
      const sounding = window.elements.filter(({ src, paused }) => src && !paused).map(({ src }) => new URL(src).pathname);
      return sounding.length === 1 && sounding[0] === "/listen/meadow.opus";
    });
    await until_playing(page);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.waitForFunction(() => window.elements.every(({ src }) => !src));
  }, {
    prepare: () => {
      window.elements = [];
      const play = HTMLMediaElement.prototype.play;
      HTMLMediaElement.prototype.play = function () {
        if (this.src.includes("/listen/") && !window.elements.includes(this)) window.elements.push(this);
        return play.call(this);
      };
    },
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
  }, { expected: GONE }); // the page may be asking for the status of the station meanwhile
});
