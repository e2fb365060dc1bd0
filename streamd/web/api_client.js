// SPDX-License-Identifier: MIT
// Client of the HTTP API (docs/protocol.md). Nothing here throws: no response is null.
import { Presence } from "./presence.js";
import { station_named } from "./station_choice.js";

const LIMIT_MS = 5000;

async function request(path, options = {}) {
  const given_up = new AbortController();
  const presence = new Presence();
  presence.start();
  presence.after(LIMIT_MS, () => given_up.abort());
  try {
    const answer = await fetch(path, { cache: "no-store", signal: given_up.signal, ...options });
    return { ok: answer.ok, body: await answer.json() };
  } catch {
    return null;
  } finally {
    presence.stop();
  }
}

// Returns { status, found, station }: the body of GET /api/status, whether the server knows a station of that name, and its
// entry. Searches the list first: only a personal station is not on it. `with_presets`: the body has the presets, too.
export async function fetch_status(name = null, with_presets = false) {
  const all = await request(with_presets ? "api/status?presets=1" : "api/status");
  if (!all?.ok || !Array.isArray(all.body?.stations)) return null;  // a proxy may answer, too
  const status = all.body;
  const listed = status.stations.find(({ station }) => station === name) ?? null;
  if (name === null || listed) return { status, found: listed !== null, station: listed };
  const one = await request(`api/status?${station_named(name)}`);
  return one && { status, found: one.ok, station: one.ok ? one.body.stations[0] ?? null : null };
}

// Returns { ok, body }: `body` is an `accepted` or an `error` message.
export async function post_change(message, station) {
  return request("api/control", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...message, station }),
  });
}
