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

// The elements of a kept list that are as they should be: pages of the same address, or other versions, may have kept something else.
export function kept_list(name, is_good) {
  const list = kept(name);
  return Array.isArray(list) ? list.filter(is_good) : [];
}

// `value`: null removes it. Returns whether it is kept.
export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
