// SPDX-License-Identifier: MIT
// The light of the hour, by the listener's own clock. Pure.

const LOW_SUN_HOURS = [7, 19];
const LOW_SUN_LASTS_H = 2.5;           // before and after
const NOON_HOUR = 13;

// { warmth, day }, 0 to 1: how much of a low sun's colour there is, and how bright the sky.
export function daylight_at(date) {
  const hour = date.getHours() + date.getMinutes() / 60;
  const warmth = Math.max(0, ...LOW_SUN_HOURS.map((low) => 1 - Math.abs(hour - low) / LOW_SUN_LASTS_H));
  const day = Math.max(0, Math.cos((hour - NOON_HOUR) / 12 * Math.PI));
  return { warmth, day };
}
