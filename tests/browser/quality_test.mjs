// SPDX-License-Identifier: MIT
// Lossless and data-saving sound, in a real Chromium against the real daemons: the listener's choice, and that Opus as the
// browser decodes it lies on the timeline of PCM, so that the server may switch between them.
//
// Environment: see daemons.mjs and browser.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import {
  ALONE, listen, open_page, PLAIN_HTTP_NAME, press_play, screenshot, SILENCE_DB, until_shown, with_player,
} from "./browser.mjs";
import { start_daemons } from "./daemons.mjs";

const LISTEN_MS = 4000;

let daemons;
before(async () => { daemons = await start_daemons(); });
after(() => daemons?.stop());

async function assert_sounds(page) {
  const heard = await listen(page, LISTEN_MS);
  assert.ok(heard.loudest_db > SILENCE_DB, `loudest ${heard.loudest_db} dB`);
  assert.deepEqual([heard.underruns, heard.gaps], [0, 0]);
  const chunk_ms = await page.evaluate(() => auralis.status.chunk_ms);
  assert.ok(Math.abs(heard.chunks * chunk_ms - heard.listened_ms) < 500, `${heard.chunks} chunks in ${heard.listened_ms} ms`);
}

const until_codec = (page, codec) =>
  page.waitForFunction((codec) => auralis.connection === "open" && auralis.playing && auralis.codec === codec, codec);

// The choice is there once the browser has said that it decodes Opus.
async function choose_lossless(page) {
  await page.getByLabel("Quality").selectOption("Lossless");
}

test("automatic sound begins with Opus, and goes over to PCM without a gap once the line has shown that it carries it", ALONE, async () => {
  await with_player(daemons.player_url, async (page) => {
    await page.getByLabel("Quality").waitFor();
    await press_play(page);
    await until_codec(page, "opus");
    await assert_sounds(page);
    await until_codec(page, "pcm");
    await assert_sounds(page);
    assert.equal(await page.locator("#quality_now").innerText(), "");
    await page.locator("#listeners", { hasText: /^1$/ }).waitFor();
  });
});

test("a listener who saves data hears Opus, without a gap, also after a change during playback and after a reload", ALONE, async () => {
  await with_player(daemons.player_url, async (page) => {
    await choose_lossless(page);
    await press_play(page);
    await until_codec(page, "pcm");
    await page.getByLabel("Quality").selectOption("Saves data");
    await until_codec(page, "opus");
    await assert_sounds(page);
    await screenshot(page, "player-quality");

    await page.reload();
    await until_shown(page);
    await press_play(page);
    await until_codec(page, "opus");
    assert.equal(await page.evaluate(() => auralis.analyser.context.sampleRate), 48000);
    await assert_sounds(page);

    await page.getByLabel("Quality").selectOption("Lossless");
    await until_codec(page, "pcm");
    await assert_sounds(page);
  });
});

test("the page's address may ask for a format, which is for this visit alone", async () => {
  await with_player(`${daemons.player_url}?format=opus`, async (page) => {
    await press_play(page);
    await until_codec(page, "opus");
    assert.match(page.url(), /[?]format=opus$/);
    await page.reload();
    await until_shown(page);
    assert.equal(await page.getByLabel("Quality").inputValue(), "opus");
    await open_page(page, daemons.player_url);
    assert.equal(await page.getByLabel("Quality").inputValue(), "auto");
  });
});

test("while the chosen quality is pending, the playing one is shown beside it", async () => {
  await with_player(daemons.player_url, async (page) => {
    await choose_lossless(page);
    await press_play(page);
    await until_codec(page, "pcm");
    daemons.streamd.process.kill("SIGSTOP");
    try {
      await page.getByLabel("Quality").selectOption("Saves data");
      await page.locator("#quality_now", { hasText: "lossless now" }).waitFor();
      assert.equal(await page.getByLabel("Quality").getAttribute("aria-busy"), "true");
    } finally {
      daemons.streamd.process.kill("SIGCONT");
    }
    await until_codec(page, "opus");
    await page.locator('#quality_choice[aria-busy="false"]').waitFor();
    assert.equal(await page.locator("#quality_now").innerText(), "");
  });
});

test("an unavailable quality is not shown as in force, and the sentence names the quality", async () => {
  await with_player(daemons.player_url, async (page) => {
    await choose_lossless(page);
    await press_play(page);
    await until_codec(page, "pcm");
    daemons.streamd.process.kill("SIGSTOP");
    try {
      await page.getByLabel("Quality").selectOption("Saves data");
      await page.locator("#sentence", { hasText: "The sound quality could not be changed" }).waitFor();
    } finally {
      daemons.streamd.process.kill("SIGCONT");
    }
    await until_codec(page, "pcm");
    await page.locator("#quality_now", { hasText: "lossless now" }).waitFor();
    assert.equal(await page.getByLabel("Quality").getAttribute("aria-busy"), "false");
  }, { expected: /WebSocket connection|^failed|ERR_/ });
});

test("without a secure context there is no choice", async () => {
  const url = new URL(daemons.player_url);
  url.hostname = PLAIN_HTTP_NAME;
  await with_player(url.href, async (page) => {
    await press_play(page);
    assert.equal(await page.getByLabel("Quality").isVisible(), false);
  });
});

// Records the same 3 s in both codecs, and decodes them with the player's Decoder in several ways.
async function compare(page) {
  // The page has them in one file.
  await page.route(/\/(decoder|frame|opus_decoder|resampler|interpolate)\.js$/, (route) => {
    const module = new URL(`../../streamd/web${new URL(route.request().url()).pathname}`, import.meta.url);
    return route.fulfill({ contentType: "text/javascript", body: readFileSync(module) });
  });
  return page.evaluate(async () => {
    const RATE = 44100;
    const CHUNKS = 30;
    const { Decoder } = await import("/decoder.js");
    const { decode_binary } = await import("/frame.js");
    const { OpusDecoder } = await import("/opus_decoder.js");

    // The same CHUNKS chunks in both codecs. Starts over after a gap, with which the daemons answer a machine that stalls.
    const record = () => new Promise((resolve) => {
      const take = (to) => ({ data }) => {
        if (typeof data === "string") return;
        const message = decode_binary(data);
        const last = to.messages.at(-1);
        const follows = last && message.seq === last.seq + 1
          && Math.abs(last.due_ms + last.frames * 1000 / last.rate - message.due_ms) < 0.02;
        if (!follows) to.messages = [];
        to.messages.push(message);
        const common = recorded.map(({ messages }) => messages.filter(({ seq }) => recorded.every((other) =>
          other.messages.some((message) => message.seq === seq))));
        if (common[0].length < CHUNKS) return;
        recorded.forEach(({ socket }) => socket.close());
        resolve(common);
      };
      const recorded = ["auralis.pcm.v1", "auralis.opus.v1"].map((protocol) => {
        const socket = new WebSocket(new URL("ws/stream", location.href.replace(/^http/, "ws")), protocol);
        socket.binaryType = "arraybuffer";
        const to = { socket, messages: [] };
        socket.onmessage = take(to);
        return to;
      });
    });
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    // One after the other, as received: a decoder reports errors asynchronously.
    const decode = async (messages) => {
      const chunks = [];
      const decoder = new Decoder({ output_rate: RATE, opus: new OpusDecoder(), on_chunk: (chunk) => chunks.push(chunk) });
      for (const message of messages) {
        decoder.add({ ...message });
        await wait(20);
      }
      while (chunks.at(-1)?.seq !== messages.at(-1).seq) await wait(10);
      decoder.close();
      return chunks;
    };
    // The left channel, from `start_ms` on.
    const signal_of = (chunks, start_ms) => {
      const signal = new Float32Array(4 * RATE);
      for (const { due_ms, frames, samples } of chunks) {
        const at = Math.round((due_ms - start_ms) * RATE / 1000);
        const full = samples instanceof Int16Array ? 1 / 32768 : 1;
        for (let i = 0; i < frames; ++i) signal[at + i] = samples[2 * i] * full;
      }
      return signal;
    };
    const ratio_db = (a, b, lag, from, to) => {
      let power = 0;
      let off = 0;
      for (let i = from; i < to; ++i) {
        power += a[i] ** 2;
        off += (a[i] - b[i + lag]) ** 2;
      }
      return 10 * Math.log10(power / off);
    };
    const seamless = (chunks) => chunks.every(({ due_ms, apart }, i) => {
      const before = chunks[i - 1];
      return i === 0 || (!apart && Math.abs(before.due_ms + before.frames * 1000 / RATE - due_ms) < 0.02);
    });

    const [pcm, opus] = await record();
    const start_ms = Math.min(pcm[0].due_ms, opus[0].due_ms) - 100;
    const reference = signal_of(await decode(pcm), start_ms);
    const heard = signal_of(await decode(opus), start_ms);
    const middle = Math.round((pcm[15].due_ms - start_ms) * RATE / 1000);
    const lags = Array.from({ length: 41 }, (_, i) => i - 20);
    const likeness = lags.map((lag) => ratio_db(reference, heard, lag, middle, middle + RATE));

    // Switches to Opus at chunk 15, which the server then sends in both codecs.
    const upto = pcm[15].seq;
    const changed = await decode([...pcm.filter(({ seq }) => seq <= upto), ...opus.filter(({ seq }) => seq >= upto)]);
    const joint = Math.round((pcm[16].due_ms - start_ms) * RATE / 1000);
    const joined = signal_of(changed, start_ms);

    const broken = opus.map((message) => ({ ...message }));
    broken[10].packets = broken[10].packets.map(() => Uint8Array.of(255, 255, 255));
    return {
      codec_of: [pcm, opus].map((messages) => messages.every(({ packets }) => packets !== undefined)),
      bytes: opus.flatMap(({ packets }) => packets).reduce((sum, packet) => sum + packet.length, 0),
      ms: opus.reduce((sum, { frames }) => sum + frames / 48, 0),
      best_lag: lags[likeness.indexOf(Math.max(...likeness))], best_db: Math.max(...likeness),
      seamless: seamless(changed),
      after_joint_db: ratio_db(reference, joined, 0, joint, joint + RATE / 10),
      survived: (await decode(broken)).length,
    };
  });
}

test("Opus as the browser decodes it is the same sound at the same time, and follows PCM seamlessly", async () => {
  await with_player(daemons.player_url, async (page) => {
    const told = await compare(page);
    console.log(told);
    assert.deepEqual(told.codec_of, [false, true]);
    assert.ok(told.bytes * 8 / told.ms < 110, `${told.bytes * 8 / told.ms} kbit/s`);
    assert.ok(Math.abs(told.best_lag) <= 1, `lag ${told.best_lag}`);
    assert.ok(told.best_db > 15, `${told.best_db} dB`);
    assert.equal(told.seamless, true);
    assert.ok(told.after_joint_db > 10, `${told.after_joint_db} dB`);
    assert.ok(told.survived >= 28, `${told.survived} of 30 chunks`);
  });
});
