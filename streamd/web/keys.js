// SPDX-License-Identifier: MIT
// Keys of the whole page, which do nothing while a field or a dialog is used; and the full screen, in which the controls fade while
// nothing is touched.
import { keep, kept } from "./storage.js";

const REST_MS = 5000;

// `actions`: function by KeyboardEvent.key, in lower case; those of arrows repeat while they are held. `letters`: a checkbox, without which
// single letters do nothing, for listeners who dictate (WCAG 2.1.4).
export function listen_to_keys(actions, letters) {
  letters.checked = kept("letters") !== false;
  letters.addEventListener("change", () => keep("letters", letters.checked));
  addEventListener("keydown", (event) => {
    const { target } = event;
    const key = event.key?.toLowerCase();  // undefined where the browser fills a form
    if (/^[a-z?]$/.test(key) && !letters.checked) return;
    if (event.ctrlKey || event.altKey || event.metaKey || !(key in actions) || document.querySelector("dialog[open]")) return;
    const used = key === " " ? "button, input, select, textarea, a, summary" : "input, select, textarea";
    if (target.closest(used) || (event.repeat && !key.startsWith("arrow"))) return;
    event.preventDefault();
    actions[key]();
  });
}

export function toggle_full_screen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
}

const TROUBLES = ["interrupted", "no_device", "offline", "unreachable", "silent"];

// Sets data-rest of the body after some seconds in full screen without any activity, unless there is something to say.
export function rest_in_full_screen() {
  let timer = 0;
  const wake = () => {
    clearTimeout(timer);
    delete document.body.dataset.rest;
    if (document.fullscreenElement) timer = setTimeout(rest, REST_MS);
  };
  const rest = () => {
    if (TROUBLES.includes(document.body.dataset.state)) return wake();
    document.body.dataset.rest = "true";
  };
  for (const event of ["pointermove", "pointerdown", "keydown", "focusin"]) addEventListener(event, wake, { passive: true });
  document.addEventListener("fullscreenchange", wake);
}
