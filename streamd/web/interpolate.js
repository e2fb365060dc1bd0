// SPDX-License-Identifier: MIT
// Reads between the frames of a ring. Pure.

export const INTERPOLATION_FRAMES = 3;  // frames that interpolate() reads ahead, the position's own included

// Cubic Hermite through four frames; exactly the sample itself if the position has no fraction. The ring's length is a power
// of two.
export function interpolate(ring, position) {
  const mask = ring.length - 1;
  const at = Math.floor(position);
  const t = position - at;
  const b = ring[at & mask];
  if (t === 0) return b;
  const a = ring[(at - 1) & mask];
  const c = ring[(at + 1) & mask];
  const d = ring[(at + 2) & mask];
  const c1 = 0.5 * (c - a);
  const c2 = a - 2.5 * b + 2 * c - 0.5 * d;
  const c3 = 0.5 * (d - a) + 1.5 * (b - c);
  return ((c3 * t + c2) * t + c1) * t + b;
}
