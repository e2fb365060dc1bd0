// SPDX-License-Identifier: MIT
// metricsd's dashboard in a real Chromium against the real daemons.
//
// Environment: see daemons.mjs, of which the daemons' binaries are required, and browser.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open_page, press_play, screenshot, with_browser } from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";

const TITLES = [
  "Audio synthesis latency", "Chunk delivery latency", "Buffer underruns", "Active WebSocket connections",
  "Ring buffer depth", "Buffer utilization", "Audio chunk jitter", "WebSocket chunk send rate",
  "CPU utilization", "GPU utilization", "Memory usage", "GPU memory",
  "Network bandwidth", "WebSocket connection duration", "Chunks sent vs. errors", "Active connections timeline",
];
const ROWS = ["Audio quality", "Buffer health", "System resources", "Network and connections"];
const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 } };
const LEFT_PAGE = /\/api\/live net::ERR_ABORTED/;   // of a page that is left
const CONFIG = '[[station]]\nname = "default"\nopen = true\n[[station]]\nname = "night"\npreset = "sleep"\n';

let daemons;
const listening = new AbortController();
before(async () => {
  daemons = await start_daemons({ config: CONFIG });
  let sound;
  do {   // until the thread that takes it knows the stations, as the one that was asked whether all is ready did
    sound = await fetch(new URL("listen/default.wav", daemons.player_url), { signal: listening.signal });
  } while (!sound.ok);
  sound.body.pipeTo(new WritableStream()).catch(() => {});   // until it is aborted
});
after(async () => {
  listening.abort();
  await daemons?.stop();
});

const panel = (page, id) => page.locator(`#${id}`);

// Opens the dashboard and waits until it shows that all daemons are up. How late a busy machine delivers is not its matter.
async function open_dashboard(page) {
  await page.goto(daemons.metrics_url);
  await all_up(page);
  await panel(page, "synthesis").locator("canvas").first().waitFor();
}

// For a minute longer the header may tell of the dead air.
async function all_up(page) {
  await page.locator("#daemons:not(:has(.bad)) .good").first().waitFor();
}

async function is_red(page) {
  await page.locator('#header[data-health="bad"]').waitFor();
}

async function metric_sum(name) {
  const text = await (await fetch(new URL("metrics", daemons.metrics_url))).text();
  const samples = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return samples.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

async function underruns_shown(page) {
  return Number((await panel(page, "underruns").locator(".number .value").innerText()).replaceAll(",", ""));
}

for (const [device, size] of [["desktop", DESKTOP], ["phone", PHONE]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`the sixteen panels in four rows, each with a name, fit on a ${device} that is ${colorScheme}`, async () => {
      await with_browser(async (page) => {
        await open_dashboard(page);
        assert.deepEqual(await page.locator(".row > h2").allInnerTexts(), ROWS);
        assert.deepEqual(await page.locator(".panel h3").allInnerTexts(), TITLES);
        for (const title of TITLES) {
          const region = page.getByRole("region", { name: title, exact: true });
          await region.scrollIntoViewIfNeeded();
          // Either a picture, whose name says what it shows, or the reason why there is none.
          await region.getByRole("img", { name: new RegExp(`^${title} .*\\w`) }).or(region.locator(".empty:visible")).first().waitFor();
        }
        const widths = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
        assert.equal(widths[0], widths[1], "no horizontal scrolling");
        const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(background === "rgb(11, 17, 25)", colorScheme === "dark", background);
        await page.evaluate(() => scrollTo(0, 0));
        await screenshot(page, `dashboard-${device}-${colorScheme}`);
      }, { ...size, colorScheme });
    });
  }
}

test("the header tells the daemons, each alert condition with since when, the error budget and the version", async () => {
  await with_browser(async (page) => {
    await open_dashboard(page);
    assert.doesNotMatch(await page.getByRole("status").innerText(), /since|answer/);
    for (const name of ["synthd", "streamd", "metricsd"]) {
      assert.match(await page.locator(`#daemons [data-process=${name}]`).innerText(), /up since \d\d:\d\d:\d\d$/);
    }
    await page.getByText(/^(all 33|\d\d others) are quiet$/).click();
    const conditions = page.getByRole("list", { name: /^Alert conditions/ }).getByRole("listitem");
    assert.equal(await conditions.count(), 33);
    for (const text of await conditions.allInnerTexts()) assert.match(text, /since \d\d:\d\d:\d\d/);
    await page.locator("#budget", { hasText: /%.*: of [\d,]+ chunks of the last 15 minutes [\d,]+ late or lost, \d+ silent/ }).waitFor();
    assert.match(await page.locator("#version").innerText(), /^version \d/);
  }, DESKTOP);
});

test("an empty panel says why, and filters choose stations, processes and the time", async () => {
  await with_browser(async (page) => {
    await open_dashboard(page);
    await panel(page, "durations").getByText("No connection ended in this time.").waitFor();
    const legend = (id) => panel(page, id).locator(".legend li");
    assert.deepEqual((await legend("depth").allInnerTexts()).map((text) => text.split(" ")[0].trim()), ["default", "night"]);
    await page.getByLabel("Station", { exact: true }).selectOption("night");
    await page.getByLabel("Process", { exact: true }).selectOption("synthd");
    await page.getByLabel("Time", { exact: true }).selectOption("60");
    await panel(page, "synthesis").getByText("in 1 min").waitFor();
    assert.match((await legend("depth").allInnerTexts()).join(), /^\s*night/);
    assert.match((await legend("memory").allInnerTexts()).join(), /^\s*synthd/);
    assert.match(page.url(), /station=night&process=synthd&span=60/);
    await page.reload();
    await panel(page, "synthesis").getByText("in 1 min").waitFor();
    assert.equal(await page.getByLabel("Station", { exact: true }).inputValue(), "night");
  }, { ...DESKTOP, expected: LEFT_PAGE });
});

test("an address may ask for a moment: the page says which, until the reader goes back to now, and whether it is kept", async () => {
  await with_browser(async (page) => {
    await open_dashboard(page);
    const asked_ms = Date.now();
    await page.goto(`${page.url().split("?")[0]}?at=${asked_ms}&span=60`);
    await page.getByText("around").waitFor();
    assert.equal(await page.locator("#moment").textContent(), new Date(asked_ms).toLocaleTimeString("en-GB"));
    await page.getByLabel("Station", { exact: true }).selectOption("night");
    assert.match(page.url(), new RegExp(`station=night&span=60&at=${asked_ms}`));
    await page.getByRole("button", { name: "back to now" }).click();
    await page.getByText("around").waitFor({ state: "hidden" });
    assert.doesNotMatch(page.url(), /at=/);
    await page.goto(`${page.url().split("?")[0]}?at=${asked_ms - 3_600_000}`);
    await page.getByText("is not kept: here are the last 15 minutes").waitFor();
  }, { ...DESKTOP, expected: LEFT_PAGE });
});

test("a killed synthd turns the header red, the underruns are those of /metrics, and each event leads to its music", async (t) => {
  await with_browser(async (page) => {
    await open_dashboard(page);
    const killed_ms = Date.now();
    await daemons.synthd.stop("SIGKILL");
    await is_red(page);
    t.diagnostic(`red ${Date.now() - killed_ms} ms after the kill`);
    await page.getByRole("status").filter({ hasText: /synthd has ended \(since/ }).waitFor();
    await page.locator('.condition[data-name="AuralisProcessDown"][data-state="pending"]', { hasText: "synthd" }).waitFor();
    // Until something was missing.
    await page.locator("#underruns .number.bad").waitFor();
    await screenshot(page, "dashboard-synthd-killed");
    daemons.synthd.start();
    await all_up(page);
    let counted = await metric_sum("ring_buffer_underruns_total");
    assert.ok(counted > 0);
    while ((await underruns_shown(page)) !== counted) {
      await page.waitForTimeout(100);
      counted = await metric_sum("ring_buffer_underruns_total");
    }
    await page.locator("#budget", { hasText: /[1-9]\d* silent/ }).waitFor();
    const events = page.getByRole("list", { name: "Events" });
    await events.getByText("synthd has ended").waitFor();
    await events.getByText(`Station default: `).first().waitFor();
    const marker = page.locator("#event-axis").getByRole("button", { name: /synthd has ended/ });
    await marker.focus();
    await page.keyboard.press("Enter");
    const link = await page.evaluate(() => document.activeElement.href);
    assert.match(link, /\?station=new&seed=\d+&.*at=\d+/);
    await open_page(page, link);
    await press_play(page);
  }, { ...DESKTOP, expected: LEFT_PAGE });
});

test("more pages than a browser opens connections to a server are all current", async () => {
  await with_browser(async (page) => {
    const pages = [page];
    while (pages.length < 8) pages.push(await page.context().newPage());
    for (const one of pages) await open_dashboard(one);
    daemons.synthd.process.kill("SIGSTOP");
    try {
      for (const one of pages) {
        await one.locator('#header[data-health="bad"]', { hasText: /synthd hangs/ }).waitFor();
      }
    } finally {
      daemons.synthd.process.kill("SIGCONT");
    }
    for (const one of pages) await all_up(one);
  }, DESKTOP);
});

test("a metricsd that does not answer turns the header red, and the page goes on when it is back", async () => {
  await with_browser(async (page) => {
    await open_dashboard(page);
    await daemons.metricsd.stop("SIGKILL");
    await page.locator('#header[data-health="bad"]', { hasText: /metricsd does not answer/ }).waitFor();
    daemons.metricsd.start();
    await all_up(page);
  }, { ...DESKTOP, expected: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_ABORTED|ERR_CONNECTION_RESET/ });
});
