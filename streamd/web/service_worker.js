// SPDX-License-Identifier: MIT
// Serves the player's page and scripts where the server cannot be reached, so that a listener who opens it offline sees it say so. Of the
// server's answers it keeps nothing else: no audio, no status.

const SHELL = "auralis-shell";
const SCRIPTS = /(\.\/)?\b[a-z_]+\.js\?v=[0-9a-f]+/g;
const MOST_SCRIPTS = 6;                // of this version and earlier ones

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keep_all());
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname === page().pathname) event.respondWith(newest_page(request));
  else if (url.pathname.endsWith(".js") && url.searchParams.has("v")) event.respondWith(kept_script(request));
});

const page = () => new URL(self.registration.scope);

// The page, and the scripts that it and they name. Those with "./" are imported on demand: they are kept once they have been used.
async function keep_all() {
  const shell = await caches.open(SHELL);
  const wanted = [page().href];
  for (const address of wanted) {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address}: ${response.status}`);
    await shell.put(address, response.clone());
    const named = (await response.text()).match(SCRIPTS) ?? [];
    wanted.push(...named.filter((name) => !name.startsWith("./")).map((name) => new URL(name, page()).href).filter((script) => !wanted.includes(script)));
  }
}

async function newest_page(request) {
  const shell = await caches.open(SHELL);
  try {
    const response = await fetch(request);
    if (response.ok) await shell.put(page().href, response.clone());
    return response;
  } catch {
    return await shell.match(page().href) ?? Response.error();
  }
}

async function kept_script(request) {
  const shell = await caches.open(SHELL);
  const known = await shell.match(request);
  if (known) return known;
  const response = await fetch(request);
  if (response.ok) await shell.put(request, response.clone());
  const scripts = (await shell.keys()).filter(({ url }) => url.includes("?v="));
  await Promise.all(scripts.slice(0, -MOST_SCRIPTS).map((script) => shell.delete(script)));
  return response;
}
