// SPDX-License-Identifier: MIT
// Addresses of the player's other files, relative to the page's. The build replaces VERSION by a hash of the file (cmake/bundle.cmake), so
// that browsers keep each version for ever.

export const THREADS = "threads.js?v=VERSION";
export const AURORA_THREAD = "aurora";  // name of the worker that is to draw the scene
