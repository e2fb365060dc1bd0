// SPDX-License-Identifier: MIT
// Addresses of the player's other files, relative to the page's. The build replaces VERSION by a hash of the file (cmake/bundle.cmake), so
// that browsers keep each version for ever.

export const AUDIO_THREADS = "audio_threads.js?v=VERSION";
