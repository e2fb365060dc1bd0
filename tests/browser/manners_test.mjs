// SPDX-License-Identifier: MIT
// Whether everybody can use the page: axe finds no fault in any state, fingers hit what they aim at, large text fits, and nothing moves
// while states change. In a real Chromium against the real daemons.
//
// Environment: see daemons.mjs and browser.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { STRIPS } from "../../streamd/web/aurora_painter.js";
import { open_page, press_play, screenshot, until_shown, with_browser, with_player } from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LEAST_PX = 44;                   // of a target for a finger

let daemons;
before(async () => { daemons = await start_daemons(); });
after(() => daemons?.stop());

async function assert_accessible(page, state) {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => (await window.axe.run()).violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`) })));
  assert.deepEqual(violations, [], `${state}: ${JSON.stringify(violations, null, 1)}`);
}

for (const colorScheme of ["dark", "light"]) {
  test(`axe finds no fault while it is stopped, plays, and shows all, in ${colorScheme} colours`, async () => {
    await with_browser(async (page) => {
      await page.goto(daemons.player_url);
      await page.locator(".preset").first().waitFor();
      await assert_accessible(page, "stopped");
      await until_shown(page);
      await assert_accessible(page, "all panels open");
      await press_play(page);
      await page.getByRole("button", { name: "Keep this moment" }).click();
      await page.locator("#moments li").waitFor();
      await assert_accessible(page, "playing");
      await page.keyboard.press("?");
      await assert_accessible(page, "help");
      await page.keyboard.press("Escape");
      await page.keyboard.press("s");
      await page.getByRole("img", { name: "QR code" }).waitFor();
      await assert_accessible(page, "a link to share");
    }, { colorScheme });
  });
}

test("every target is large enough for a finger", async () => {
  await with_player(daemons.player_url, async (page) => {
    const small = await page.evaluate((least) => [...document.querySelectorAll("button, a, input, select, textarea, summary, .switch")]
        .filter((target) => target.checkVisibility() && !target.closest(".switch:not(:scope)"))
        .map((target) => [target.id || target.className || target.tagName, target.getBoundingClientRect()])
        .filter(([, { height, width }]) => height < least || width < least)
        .map(([name, { width, height }]) => `${name}: ${width} x ${height}`), LEAST_PX);
    // A switch is its whole line.
    assert.deepEqual(small.filter((one) => !/^(pads|melody|kicks|swells):/.test(one)), []);
  }, { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
});

test("text of twice the size fits a screen of 320 px", async () => {
  await with_browser(async (page) => {
    await open_page(page, daemons.player_url);
    await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
    const cut = await page.evaluate(() => ({
      wide: [...document.querySelectorAll("main *")].filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > 320)
          .map((element) => `${element.tagName} ${element.id || element.className}`),
      width: document.documentElement.scrollWidth,
      cut: [...document.querySelectorAll("button, p, h1, h2, label, summary, dd, dt, legend")]
          .filter((element) => element.id !== "play" && element.checkVisibility() && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline")
          .map((element) => `${element.tagName} ${element.id || element.textContent.trim()}: ${element.scrollWidth} in ${element.clientWidth}`),
    }));
    await screenshot(page, "manners-large-text");
    assert.deepEqual(cut, { wide: [], width: 320, cut: [] });
  }, { viewport: { width: 320, height: 640 }, });
});

test("nothing on the page moves while states change", async () => {
  await with_browser(async (page) => {
    await page.goto(daemons.player_url);
    await page.locator(".preset").first().waitFor();
    await page.evaluate(() => {
      window.shifts = [];
      new PerformanceObserver((list) => {
        for (const { hadRecentInput, value, sources } of list.getEntries()) {
          if (!hadRecentInput) window.shifts.push({ value, moved: sources.map(({ node }) => node?.id || node?.className || node?.textContent) });
        }
      }).observe({ type: "layout-shift" });
    });
    await press_play(page);
    await page.locator('.preset[data-preset="sleep"]').click();
    await page.locator("#now", { hasText: "Sleep" }).waitFor();
    await page.context().setOffline(true);
    await page.locator("#state", { hasText: /offline|Reconnecting/ }).waitFor();
    await page.context().setOffline(false);
    await page.locator("#state", { hasText: "Playing" }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator("#state", { hasText: "Ready" }).waitFor();
    // Lines whose text changes are centred: the new one begins elsewhere in its place. If they grew, what is below would move.
    const shifts = (await page.evaluate(() => window.shifts)).filter(({ moved }) => moved.some((name) => !["now", "state"].includes(name)));
    assert.deepEqual(shifts, []);
  }, { expected: /ERR_INTERNET|^failed|WebSocket/ });
});

const without_scene_thread = () => {
  const { Worker } = window;
  window.Worker = function (url, options) {
    if (options?.name === "aurora") throw new DOMException("refused", "SecurityError");
    return new Worker(url, options);
  };
};

for (const [what, moves, reducedMotion, prepare] of [
  ["moves while it plays", true, "no-preference", null],
  ["moves where it can have no thread", true, "no-preference", without_scene_thread],
  ["stands still for those who prefer that", false, "reduce", null],
]) {
  test(`the scene ${what}`, async () => {
    await with_browser(async (page) => {
      await page.goto(daemons.player_url);
      await page.locator(".preset").first().waitFor();
      await press_play(page);
      // The strips of the page's thread are gone once the scene's own thread has painted its own.
      await page.waitForFunction((count) => document.querySelectorAll("#aurora canvas").length === count, STRIPS);
      await page.evaluate(() => document.querySelectorAll("header, main").forEach((other) => { other.style.visibility = "hidden"; }));
      const first = await page.screenshot();
      if (moves) {
        while ((await page.screenshot()).equals(first)) await page.waitForTimeout(100);
      } else {
        await page.waitForTimeout(2000);
        assert.ok((await page.screenshot()).equals(first));
      }
    }, { reducedMotion, prepare });
  });
}
