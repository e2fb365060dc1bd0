// SPDX-License-Identifier: MIT
// How the player handles addresses, names and broken connections, without a browser or a server. It does not prove that the
// server interprets the links likewise (stations_test.mjs opens some).
import assert from "node:assert/strict";
import test from "node:test";

import { moments_of, text_of } from "../../streamd/web/moments.js";
import { character_of, hue_of, music_in_words } from "../../streamd/web/music_words.js";
import { CODE_STATION_GONE, Route, why_refused } from "../../streamd/web/route.js";
import {
  address_of, choice_of, choice_of_permalink, is_own, moved_on, name_of, own_station,
  refusal_in_words, seed_of, shown_choice, station_named, unheard_in_words, default_of, DEFAULT,
} from "../../streamd/web/station_choice.js";

const CHANGES = "0-kD-mdorian-b60-i0.5-c0.4-v0.4-d0.5-gpmks_81-i0.3";
const LINK = `station=new&seed=42&rate=44100&chunk=100&at=5123&changes=${CHANGES}`;
const TARGET = { key: "F#", mode: "lydian", bpm: 71.6 };

function server({ ready = true, free = 5, names = ["default", "night"] } = {}) {
  return {
    ready, places: { total: 8, free, personal: 0 },
    stations: names.map((station) => ({ station, sample_rate: 44100, chunk_ms: 100 })),
  };
}

const joined = (station, personal = false) => ({ station, personal });
const report = (station, at, server_time = 1000) => ({
  station, personal: true, permalink: `/?${LINK.replace("5123", at)}`, server_time, chunk_ms: 100,
});

// Addresses

test("an address chooses the default station, one by its name, or a personal one", () => {
  assert.equal(choice_of(""), DEFAULT);
  assert.equal(choice_of("?"), DEFAULT);
  assert.equal(choice_of("?station="), DEFAULT);
  assert.equal(choice_of("?station=night"), "station=night");
  assert.equal(name_of(choice_of("?station=night")), "night");
  assert.equal(choice_of("?station=new&preset=sleep"), own_station({ preset: "sleep" }));
  assert.equal(is_own(choice_of("?station=new")), true);
  assert.equal(name_of(choice_of("?station=new")), null);
  assert.equal(name_of(DEFAULT), null);
});

test("a permalink goes through an address and back unchanged", () => {
  assert.equal(choice_of(`?${LINK}`), LINK);
  assert.equal(choice_of_permalink(`/?${LINK}`), LINK);
  assert.equal(choice_of(new URL(address_of(LINK, "https://a.example/music/?station=night#x")).search), LINK);
});

test("tracking fields added to a link are removed, since the server refuses them", () => {
  assert.equal(choice_of("?utm_source=mail&station=new&fbclid=1&preset=sleep"), "station=new&preset=sleep");
  assert.equal(choice_of("?utm_source=mail"), DEFAULT);
  assert.equal(choice_of("?station=night&seed=3"), "station=night");
});

test("a name with special characters stays one name", () => {
  const choice = station_named("a&seed=1#?/ö");
  assert.equal(name_of(choice), "a&seed=1#?/ö");
  assert.equal(choice_of(choice), choice);
});

test("an address is absolute, keeps the path that a proxy added, and drops the former query", () => {
  assert.equal(address_of(LINK, "https://a.example/music/?station=night#x"), `https://a.example/music/?${LINK}`);
  assert.equal(address_of(DEFAULT, "http://localhost:8000/?station=night"), "http://localhost:8000/");
});

test("the address bar follows the choice, but shows no personal station's name", () => {
  const own = own_station({ preset: "sleep" });
  assert.equal(shown_choice(DEFAULT, { station: "default", personal: false }, null), DEFAULT);
  assert.equal(shown_choice("station=night", null, null), "station=night");
  assert.equal(shown_choice(own, null, null), own);
  assert.equal(shown_choice(own, { station: "p1", personal: true, seed: 77 }, null), `${own}&seed=77`);
  assert.equal(shown_choice(LINK, { station: "p1", personal: true, seed: 42 }, null), LINK);
  assert.equal(shown_choice("station=p1", { station: "p1", personal: true, seed: 42 }, `/?${LINK}`), LINK);
  assert.equal(shown_choice("station=p1", { station: "p1", personal: true, seed: 42 }, null), DEFAULT);
});

test("a moment moves on by chunks, and never before the beginning", () => {
  assert.equal(new URLSearchParams(moved_on(LINK, 7)).get("at"), "5130");
  assert.equal(new URLSearchParams(moved_on(LINK, -9999)).get("at"), "0");
  assert.equal(moved_on(LINK, 0), LINK);
});

test("music of a minute before is begun with no more changes to come than the server takes", () => {
  const changes = [0, 81, ...Array.from({ length: 12 }, (_, i) => 5000 + 10 * i)];
  const link = LINK.replace(CHANGES, changes.map((chunk) => `${chunk}-i0.3`).join("_"));
  const kept = (chunks) => new URLSearchParams(moved_on(link, chunks)).get("changes").split("_").map((change) => Number.parseInt(change, 10));
  assert.deepEqual(kept(0), changes);
  assert.deepEqual(kept(-60), changes);          // 5063: five are to come
  assert.deepEqual(kept(-150), changes.slice(0, 9));
  assert.deepEqual(kept(-9999), changes.slice(0, 8));
});

test("a seed is a whole number of 64 bits, or left out", () => {
  assert.equal(seed_of(" 42 "), "42");
  assert.equal(seed_of("007"), "7");
  assert.equal(seed_of(""), "");
  assert.equal(seed_of("18446744073709551615"), "18446744073709551615");
  for (const text of ["18446744073709551616", "-1", "1.5", "1e3", "0x10", "abc"]) assert.equal(seed_of(text), null, text);
  assert.equal(own_station({ preset: "sleep", seed: "18446744073709551615" }),
    "station=new&preset=sleep&seed=18446744073709551615");
  assert.equal(own_station({ preset: "sleep", seed: "" }), "station=new&preset=sleep");
});

test("the default station is the one named default, or else the first", () => {
  assert.equal(default_of(server({ names: ["night", "default"] }).stations).station, "default");
  assert.equal(default_of(server({ names: ["night", "day"] }).stations).station, "night");
  assert.equal(default_of([]), null);
});

// Words

test("music is described by its preset and its character, in words", () => {
  const target = { ...TARGET, intensity: 0.5, kicks: true };
  assert.equal(music_in_words({ preset: null, target }), "Lively, light, a soft beat");
  assert.equal(music_in_words({ preset: "sleep", target: { mode: "phrygian", bpm: 40, intensity: 0.2, kicks: true } }), "Sleep: slow, dark, no beat");
  assert.equal(character_of({ ...target, mode: "dorian", bpm: 60, kicks: false }), "calm, mellow, no beat");
  // From violet for the darkest mode to amber for the brightest.
  assert.deepEqual(["phrygian", "dorian", "lydian"].map((mode) => hue_of({ mode })), [250, 168, 45]);
});

test("a link shows how far into its music it starts", () => {
  const hint = (at) => unheard_in_words(LINK.replace("5123", at))[1];
  assert.equal(hint(5123), "8 min 32 s into its music; press play");
  assert.equal(hint(1800), "3 min into its music; press play");
  assert.equal(hint(39000), "1 h 5 min into its music; press play");
  assert.equal(hint(420), "42 s into its music; press play");
  assert.equal(hint(0), "Press play to start it");
  assert.equal(unheard_in_words("station=new&preset=sleep")[0], "A station of your own");
  assert.equal(unheard_in_words("station=new&at=x&chunk=y")[0], "A station of your own");
});

test("a refusal says what is available instead", () => {
  assert.match(refusal_in_words("unknown", "station=x", server()), /“x”.*default, night/);
  assert.match(refusal_in_words("gone", "station=x", null), /“x” no longer exists/);
  assert.match(refusal_in_words("no_place", LINK, server()), /limit of personal stations is reached/);
  assert.match(refusal_in_words("no_encoder", LINK, server()), /can be compressed now/);
  assert.match(refusal_in_words("other_format", LINK.replace("44100", "48000"), server()), /48000 Hz.*44100 Hz/);
  assert.match(refusal_in_words("not_accepted", LINK, server()), /did not accept this link/);
  assert.match(refusal_in_words("not_accepted", "station=new&preset=sleep", server()), /could not be started/);
  assert.match(refusal_in_words("later", LINK, server()), /could not be started/);
});

// Where to connect next

test("a configured station is reconnected by its name, also the default one", () => {
  for (const choice of [DEFAULT, "station=default"]) {
    const route = new Route(choice);
    assert.equal(route.query, choice);
    route.joined(joined("default"));
    assert.equal(route.query, "station=default");
    assert.equal(route.personal, false);
  }
});

test("a configured station that no longer exists leaves no way; the default one is whichever is the default now", () => {
  const named = new Route("station=night");
  named.joined(joined("night"));
  assert.equal(named.gone(), false);
  const usual = new Route(DEFAULT);
  usual.joined(joined("default"));
  assert.equal(usual.gone(), true);
  assert.equal(usual.query, DEFAULT);
});

test("a personal station is reconnected by its name first, then by the last moment heard", () => {
  const route = new Route("station=new&preset=sleep");
  assert.equal(route.personal, true);
  route.joined(joined("p1", true));
  assert.equal(route.query, "station=p1");
  route.remember(report("p1", 600));
  route.heard(1000 * 1000 + 2950);                   // chunk 630 was due then: 600 had been due up to 100 ms before 1000 s
  assert.equal(route.gone(), true);
  assert.equal(new URLSearchParams(route.query).get("at"), "631");
  assert.equal(new URLSearchParams(route.query).get("changes"), CHANGES);
});

test("the moment carries over from one personal station to the next", () => {
  const route = new Route(LINK);
  route.joined(joined("p1", true));
  route.remember(report("p1", 600));
  route.heard(1001 * 1000);
  route.gone();
  route.joined(joined("p2", true));
  assert.equal(route.query, "station=p2");
  route.remember(report("p1", 9999));                // a late response
  assert.equal(route.gone(), true);
  assert.equal(new URLSearchParams(route.query).get("at"), "611", "it ended before it was heard: its own beginning");
});

test("a personal station that ended before its moment was known starts from its beginning", () => {
  const route = new Route("station=new&preset=sleep&seed=42");
  route.joined(joined("p1", true));
  assert.equal(route.gone(), true);
  assert.equal(route.query, "station=new&preset=sleep&seed=42");
});

test("a personal station opened by its name continues by its moment as well", () => {
  const route = new Route("station=p1");
  assert.equal(route.gone(), false);
  route.joined(joined("p1", true));
  assert.equal(route.personal, true);
  route.remember(report("p1", 600));
  assert.equal(route.gone(), true);
  assert.equal(is_own(route.query), true);
});

for (const step_ms of [3_600_000, -3_600_000]) {
  for (const [when, remembered] of [["before", false], ["after", true]]) {
    test(`the server's clock set by ${step_ms} ms, ${when} the moment is reported again, changes nothing`, () => {
      const route = new Route("station=new");
      route.joined({ station: "p1", personal: true });
      route.remember(report("p1", 600), 5000);
      route.heard(1000 * 1000 + 1000, 6000);
      route.heard(1000 * 1000 + 2000 + step_ms, 7000);
      if (remembered) {
        route.remember(report("p1", 630, 1003 + step_ms / 1000), 8000);
        route.heard(1000 * 1000 + 3000 + step_ms, 8000);
      }
      const at = Number(new URLSearchParams(route.moment).get("at"));
      assert.ok(Math.abs(at - (remembered ? 631 : 621)) <= 1, `at ${at}`);
    });
  }
}

test("the moment is the one heard, even if the server reported a later one", () => {
  const route = new Route("station=new");
  route.joined(joined("p1", true));
  route.heard(1000 * 1000);
  route.heard(999 * 1000);
  route.remember(report("p1", 700, 1010));
  assert.equal(new URLSearchParams(route.moment).get("at"), "601");
});

test("the status shows why a connection was refused", () => {
  const own = "station=new&preset=sleep";
  assert.equal(why_refused("station=x", null, false), "later");
  assert.equal(why_refused("station=x", server({ names: [] }), false), "later", "synthd is not up yet");
  assert.equal(why_refused("station=x", server(), false), "unknown");
  assert.equal(why_refused("station=night", server(), true), "later");
  assert.equal(why_refused(DEFAULT, server(), false), "later");
  assert.equal(why_refused(own, server({ free: 0 }), false), "no_place");
  assert.equal(why_refused(own, server({ free: 0, ready: false }), false), "later", "no synthd, no place");
  assert.equal(why_refused(LINK.replace("44100", "48000"), server({ free: 0 }), false), "other_format");
  assert.equal(why_refused(LINK.replace("chunk=100", "chunk=20"), server(), false), "other_format");
  assert.equal(why_refused(LINK, server(), false), "not_accepted");
  const no_encoder = { ...server(), places: { ...server().places, opus_free: 0 } };
  assert.equal(why_refused(own, no_encoder, false, true), "no_encoder");
  assert.equal(why_refused(own, no_encoder, false, false), "not_accepted", "a listener who does not save data needs none");
  assert.equal(CODE_STATION_GONE, 4004);
});

test("a personal station that is remembered is tried by its name, then continues from its last moment", () => {
  const memory = { key: "k", name: "p1", moment: LINK };
  const route = new Route("station=new&preset=sleep&seed=42", memory);
  assert.deepEqual([route.query, route.personal, route.key], ["station=p1", true, "k"]);
  assert.equal(route.gone(), true);
  assert.equal(route.query, LINK);
});

test("kept moments go through their text and back, and lines that are none are left out", () => {
  const moments = [{ choice: LINK, title: "Sleep: slow, dark, no beat", kept_ms: 1_700_000_000_000 }];
  const text = text_of(moments, "https://a.example/music/?station=night");
  assert.deepEqual(moments_of(`one that is none\n${text}\n`), moments);
  for (const line of ["", "2026-01-01 ftp://a.example/?station=new a", "2026-01-01 https://a.example/?station=night a", "x https://a.example/?station=new a"]) {
    assert.deepEqual(moments_of(line), [], line);
  }
});
