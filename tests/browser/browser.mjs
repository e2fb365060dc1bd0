// SPDX-License-Identifier: MIT
// Helpers to test pages in a real Chromium: a page of its own; of the player, pressing play and measuring what is heard.
//
// Environment: CHROMIUM (default /usr/bin/chromium-headless-shell, at half the cost of
// /usr/bin/chromium); AURALIS_TEST_OUTPUT, a directory for screenshots.
// Exits with status 77 (CTest: skipped) if Playwright or the browser is not installed.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after } from "node:test";

export const LIMIT_MS = 30000;
export const SILENCE_DB = -70;
// Of a test that counts gaps: a browser that waits for a core plays with some. Left out where other tests run meanwhile.
export const ALONE = { skip: process.env.AURALIS_TEST_SHARED_MACHINE !== undefined };
export const PLAIN_HTTP_NAME = "auralis.test"; // reserved for tests; not localhost, so not a secure context
export const PROXIED_NAME = "www.example.org"; // in docs/proxies, of the site with the player in a folder
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell";
const SKIPPED = 77;
const SCREENSHOTS = process.env.AURALIS_TEST_OUTPUT;
const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
  `--host-resolver-rules=MAP ${PLAIN_HTTP_NAME} 127.0.0.1,MAP ${PROXIED_NAME} 127.0.0.1`,
];

const { chromium } = await import("playwright-core").catch(() => skip("playwright-core is not installed (npm ci)"));
if (!existsSync(CHROMIUM)) skip(`there is no browser at ${CHROMIUM}`);

// One for all tests of a file, since a start takes seconds of a core.
let browser = null;
after(() => browser?.close());

function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(SKIPPED);
}

// Runs `body(page)` with the player at `url`. Options: see with_browser().
export async function with_player(url, body, options) {
  await with_browser(async (page) => {
    await open_page(page, url);
    await body(page);
  }, options);
}

// Runs `body(page)` with storage, cookies and cache of its own; any console error or failed request fails the test, except
// those that match `expected`. `prepare`: a function that runs in the page before the page's own scripts. Moving pictures,
// which take half a core without a GPU, stand still unless `reducedMotion` is "no-preference".
export async function with_browser(body, { expected = /^$/, prepare = null, ...options } = {}) {
  browser ??= await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(LIMIT_MS);
    const complaints = [];
    const complain = (text) => { if (!expected.test(text)) complaints.push(text); };
    page.on("console", (message) => {
      if (message.type() === "error") complain(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => complain(`uncaught: ${error.message}`));
    page.on("requestfailed", (request) => {
      const { errorText } = request.failure();
      // An element that plays an endless stream ends its own request.
      if (errorText === "net::ERR_ABORTED" && request.url().includes("/listen/")) return;
      complain(`failed: ${request.url()} ${errorText}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) complain(`${response.status()}: ${response.url()}`);
    });
    if (prepare) await context.addInitScript(prepare);
    await body(page);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

// Opens the page and waits until it shows the station and the presets.
export async function open_page(page, url) {
  await page.goto(url);
  await until_shown(page);
}

// Opens what the page shows on demand, too.
export async function until_shown(page) {
  await page.locator("#now", { hasText: /\S/ }).waitFor();
  await page.locator(".preset").first().waitFor();
  await page.evaluate(() => document.querySelectorAll("details").forEach((panel) => { panel.open = true; }));
}

export async function press_play(page) {
  await page.getByRole("button", { name: "Play" }).click();
  await until_playing(page);
}

export async function until_playing(page) {
  await page.waitForFunction(() => auralis.connection === "open" && auralis.playing);
  await page.locator("#state", { hasText: "Playing" }).waitFor();
}

// Listens for `ms`. Returns the loudest and the quietest level in dB full scale, and the player's counts meanwhile.
export async function listen(page, ms) {
  return page.evaluate(async (ms) => {
    const count = () => ({ seq: auralis.seq, underruns: auralis.underruns, gaps: auralis.gaps, at_ms: performance.now() });
    const samples = new Float32Array(auralis.analyser.fftSize);
    const levels_db = [];
    const start = count();
    while (performance.now() - start.at_ms < ms) {
      auralis.analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      levels_db.push(10 * Math.log10(power + 1e-12));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const end = count();
    return {
      loudest_db: Math.max(...levels_db), quietest_db: Math.min(...levels_db),
      listened_ms: end.at_ms - start.at_ms, chunks: end.seq - start.seq,
      underruns: end.underruns - start.underruns, gaps: end.gaps - start.gaps,
    };
  }, ms);
}

// Records what leaves `source`, a handle of an AudioNode, else the player's volume, from now on. Then `stop()` returns { recorded_ms,
// silences }, of silences of 10 ms and more { at_ms, ms }, from the beginning of the record.
export async function record(page, source = null) {
  await page.evaluate((source) => {
    const LEAST_MS = 10;
    const from = source ?? auralis.analyser;
    const { context } = from;
    const ms = (frames) => frames * 1000 / context.sampleRate;
    const node = context.createScriptProcessor(4096, 2, 1);
    const silences = [];
    let frames = 0;
    let quiet = 0;
    const end_silence = () => {
      if (ms(quiet) >= LEAST_MS) silences.push({ at_ms: ms(frames - quiet), ms: ms(quiet) });
      quiet = 0;
    };
    node.onaudioprocess = ({ inputBuffer }) => {
      const left = inputBuffer.getChannelData(0);
      const right = inputBuffer.getChannelData(1);
      for (let i = 0; i < left.length; ++i, ++frames) {
        if (left[i] === 0 && right[i] === 0) ++quiet;
        else end_silence();
      }
    };
    from.connect(node).connect(context.destination);
    window.stop_record = () => {
      from.disconnect(node);
      end_silence();
      return { recorded_ms: ms(frames), silences };
    };
  }, source);
  return { stop: () => page.evaluate(() => window.stop_record()) };
}

// Stops all processes of the test's browser for `ms`, as on a sleeping laptop.
export async function freeze_browser(ms) {
  const processes = browser_processes();
  assert.ok(processes.length > 1, "the browser's processes");
  for (const pid of processes) process.kill(pid, "SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, ms));
  for (const pid of processes) process.kill(pid, "SIGCONT");
}

// The browser's processes among this process's descendants.
function browser_processes() {
  const children = new Map();
  const names = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number)) {
    try {
      const [, name, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").match(/^\d+ \((.*)\) \S (\d+)/);
      names.set(pid, name);
      children.set(Number(parent), [...(children.get(Number(parent)) ?? []), pid]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const below = (pid) => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(process.pid).filter((pid) => names.get(pid).startsWith("chrom"));
}

export async function screenshot(page, name) {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
}
