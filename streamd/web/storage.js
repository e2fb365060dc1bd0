// SPDX-License-Identifier: MIT
// What the browser keeps for the player from one visit to the next: values that JSON can hold, by name. Where it keeps nothing
// (private windows, denied storage) each value is null, and keeping one has no effect.

const PREFIX = "auralis.";

export function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

// `value`: null removes it.
export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Not kept here.
  }
}
