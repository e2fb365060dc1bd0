// SPDX-License-Identifier: MIT
// Numbers and moments for people. Pure.

export function rounded(value) {
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

export function with_unit(value, unit) {
  if (value === null) return "–";
  return unit ? `${rounded(value)} ${unit}` : rounded(value);
}

// The time of day; with the date where that is another one.
export function moment(at_ms) {
  const at = new Date(at_ms);
  const time = at.toLocaleTimeString("en-GB");
  return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString("sv")} ${time}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${seconds / 60} min`;
  return seconds < 86400 ? `${seconds / 3600} h` : `${seconds / 86400} d`;
}

export function counted(count, one, several = `${one}s`) {
  return `${rounded(count)} ${count === 1 ? one : several}`;
}
