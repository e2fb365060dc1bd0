// SPDX-License-Identifier: MIT
// Interruptions: the system suspends the sound, refuses it or has no device for it, and every way of pressing play restores
// it. In a real Chromium against the real daemons; a phone call is simulated by a browser that suspends and refuses sound.
// It does not prove that a phone's own browser behaves like that.
//
// Environment: see daemons.mjs and browser.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import { listen, press_play, screenshot, SILENCE_DB, until_playing, with_player } from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";

const CONFIG = `
[[station]]
name = "default"
open = true

[[station]]
name = "night"
preset = "sleep"
open = true
`;

let daemons;
before(async () => { daemons = await start_daemons({ config: CONFIG }); });
after(() => daemons?.stop());

// Runs in the page. `system.allowed`: whether sound may be resumed and media elements may play. Media Session actions are
// kept, so that a test can call them as the system would.
function simulate_system() {
  const system = { allowed: true, rejects: true, element: null, actions: {}, contexts: [] };
  window.system = system;
  const refuse = () => new Promise((_resolve, reject) => {
    if (system.rejects) reject(new DOMException("Not allowed", "NotAllowedError"));
  });
  const resume = AudioContext.prototype.resume;
  AudioContext.prototype.resume = function () {
    if (!system.contexts.includes(this)) system.contexts.push(this);
    return system.allowed ? resume.call(this) : refuse();
  };
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    system.element = this;
    return system.allowed ? play.call(this) : refuse();
  };
  const set_action = navigator.mediaSession.setActionHandler;
  navigator.mediaSession.setActionHandler = function (action, handler) {
    system.actions[action] = handler;
    set_action.call(this, action, handler);
  };
  // A phone call begins.
  system.interrupt = async () => {
    system.allowed = false;
    system.element.pause();
    await system.contexts.at(-1).suspend();
  };
}

const shown = (page) => page.evaluate(() => ({
  session: navigator.mediaSession.playbackState,
  label: document.getElementById("play").getAttribute("aria-label"),
  state: document.getElementById("state").textContent,
  element_paused: window.system.element?.paused ?? true,
}));

const SOUNDING = { session: "playing", label: "Stop", state: "Playing", element_paused: false };
const PAUSED = { session: "paused", label: "Play", state: "The browser has paused the sound: press play.", element_paused: true };

// All of it at one moment: on a busy machine the player may buffer again right after it played.
async function until_shown(page, expected) {
  const deadline = Date.now() + 30_000;
  let last = await shown(page);
  while (!isDeepStrictEqual(last, expected) && Date.now() < deadline) {
    await page.waitForTimeout(50);
    last = await shown(page);
  }
  assert.deepEqual(last, expected);
}

async function assert_sounds(page) {
  await until_playing(page);
  const { loudest_db } = await listen(page, 500);
  assert.ok(loudest_db > SILENCE_DB, `loudest ${loudest_db} dB`);
  await until_shown(page, SOUNDING);
}

const WAYS = {
  "the page's button": (page) => page.locator("#play").click(),
  "the button, from the keyboard": (page) => page.locator("#play").press("Enter"),
  "the space key": (page) => page.keyboard.press("Space"),
  "the system's controls": (page) => page.evaluate(() => window.system.actions.play()),
  "a touch of the page": (page) => page.locator("h1").click(),
  "the page becoming visible": (page) => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange"))),
  "another station, chosen from the keyboard": (page) => page.locator('#places [data-station="night"]').press("Enter"),
  "choosing the station that is chosen already": (page) => page.locator('#places [aria-current="true"]').click(),
};

test("after a phone call every way of pressing play restores the sound, and the state shown is the real one", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await until_shown(page, SOUNDING);
    for (const [way, press] of Object.entries(WAYS)) {
      console.log(way);
      await page.evaluate(() => window.system.interrupt());
      await until_shown(page, PAUSED);
      await page.evaluate(() => { window.system.allowed = true; });
      await press(page);
      await assert_sounds(page);
    }
    await screenshot(page, "player-interrupted");
    // The same button stops it.
    await page.getByRole("button", { name: "Stop" }).click();
    assert.equal((await shown(page)).session, "none");
  }, { prepare: simulate_system });
});

test("play pressed during the call is refused, and pressed again afterwards it plays", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    for (const rejects of [true, false]) {
      await page.evaluate((rejects) => { window.system.rejects = rejects; }, rejects);
      await page.evaluate(() => window.system.interrupt());
      await page.getByRole("button", { name: "Play" }).click();
      await until_shown(page, PAUSED);
      assert.equal(await page.evaluate(() => auralis.connection), "open");
      await page.evaluate(() => { window.system.allowed = true; });
      await page.getByRole("button", { name: "Play" }).click();
      await assert_sounds(page);
    }
  }, { prepare: simulate_system });
});

for (const refused of ["refused", "left open"]) {
  test(`if the browser's first answer to play is ${refused}, the page says so, and pressing play again plays`, async () => {
    await with_player(daemons.player_url, async (page) => {
      await page.evaluate((refused) => {
        Object.assign(window.system, { allowed: false, rejects: refused === "refused" });
        // A context that the browser does not start.
        const Real = window.AudioContext;
        window.AudioContext = class extends Real {
          constructor(options) {
            super(options);
            if (!window.system.allowed) this.suspend();
          }
        };
      }, refused);
      await page.getByRole("button", { name: "Play" }).click();
      await until_shown(page, PAUSED);
      await page.evaluate(() => { window.system.allowed = true; });
      await page.getByRole("button", { name: "Play" }).click();
      await assert_sounds(page);
    }, { prepare: simulate_system });
  });
}

test("without any sound output the page says so, and play tries again", async () => {
  await with_player(daemons.player_url, async (page) => {
    await page.evaluate(() => {
      window.Real = window.AudioContext;
      window.AudioContext = class { constructor() { throw new DOMException("No device", "NotSupportedError"); } };
    });
    await page.getByRole("button", { name: "Play" }).click();
    await page.locator("#sentence", { hasText: "provides no sound output" }).waitFor();
    assert.equal((await shown(page)).session, "none");
    await page.evaluate(() => { window.AudioContext = window.Real; });
    await page.getByRole("button", { name: "Play" }).click();
    await assert_sounds(page);
    assert.equal(await page.locator("#sentence").innerText(), "");
  }, { prepare: simulate_system });
});

test("a device that plays nothing is reported instead of buffering forever, and play tries again", async () => {
  await with_player(daemons.player_url, async (page) => {
    // As without an audio device: the context says "running", but its clock stands still.
    await page.evaluate(() => {
      window.Real = window.AudioContext;
      window.AudioContext = class extends Real {
        constructor(options) {
          super(options);
          this.suspend();
        }
        get state() { return "running"; }
        resume() { return Promise.resolve(); }
      };
    });
    await page.getByRole("button", { name: "Play" }).click();
    await page.locator("#state", { hasText: "No sound device" }).waitFor();
    assert.deepEqual([(await shown(page)).session, (await shown(page)).label], ["paused", "Play"]);
    await page.evaluate(() => { window.AudioContext = window.Real; });
    await page.getByRole("button", { name: "Play" }).click();
    await assert_sounds(page);
  }, { prepare: simulate_system });
});

test("an output that the browser has closed is replaced when play is pressed", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await page.evaluate(() => auralis.analyser.context.close());
    await page.locator("#state", { hasText: "No sound device" }).waitFor();
    await page.getByRole("button", { name: "Play" }).click();
    await assert_sounds(page);
  }, { prepare: simulate_system });
});

test("a station that sends silence is not shown as playing", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await daemons.synthd.stop("SIGKILL");
    await page.locator("#state", { hasText: "The music has stopped on the server" }).waitFor();
    assert.equal((await shown(page)).session, "paused");
    assert.equal(await page.evaluate(() => auralis.playing), false);
    daemons.synthd.start();
    await assert_sounds(page);
  }, { prepare: simulate_system });
});

const STREAMD_GONE = /WebSocket connection|ERR_CONNECTION|ERR_EMPTY_RESPONSE|^failed|status of 50|^50/;

test("the time until the next attempt to connect is counted down, and no number of listeners is shown meanwhile", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await page.locator("#listeners", { hasText: "1" }).waitFor();
    await daemons.streamd.stop("SIGKILL");
    // Delays only grow: a later one does not start at 1 s.
    await page.locator("#state", { hasText: /in [3-6]\ss/ }).waitFor();
    await page.locator("#state", { hasText: /in 1\ss/ }).waitFor();
    await page.locator("#listeners", { hasText: "–" }).waitFor();
    daemons.streamd.start();
    await assert_sounds(page);
  }, { prepare: simulate_system, expected: STREAMD_GONE });
});

test("while the connection is lost nothing is shown as playing, and play connects at once", async () => {
  await with_player(daemons.player_url, async (page) => {
    await press_play(page);
    await daemons.streamd.stop("SIGKILL");
    await page.locator("#state", { hasText: "Reconnecting" }).waitFor();
    await page.waitForFunction(() => navigator.mediaSession.playbackState === "paused"); // after the buffered audio
    daemons.streamd.start();
    await page.evaluate(() => window.system.actions.play());
    await assert_sounds(page);
  }, { prepare: simulate_system, expected: STREAMD_GONE });
});

test("an element that the browser does not let play without a gesture plays at the next one", async () => {
  await with_player(`${daemons.player_url}?format=audio`, async (page) => {
    await page.evaluate(() => { window.system.allowed = false; });
    await page.getByRole("button", { name: "Play" }).click();
    await until_shown(page, PAUSED);
    await page.evaluate(() => { window.system.allowed = true; });
    await page.getByRole("button", { name: "Play" }).click();
    await until_playing(page);
    assert.equal(await page.evaluate(() => auralis.mode), "element");
  }, { prepare: simulate_system });
});
