// SPDX-License-Identifier: MIT
// window.auralis, for tests and operators; read-only.
//   connection   "closed", "connecting", "open" (audio flows) or "waiting" (for the next attempt)
//   playing      whether the station's music is audible
//   mode         how it plays, as in output.js; null before the first play
//   codec        "pcm" or "opus", as received; null without a stream
//   seq          number of the chunk being played; -1 before the first
//   bufferMs     audio buffered in the player; null when unknown
//   latencyMs    due time to sound card, by the server's clock; null when unknown
//   underruns    how often the player ran dry since play was pressed
//   gaps         chunks that never came, or came as silence, since play was pressed
//   skips        how often the player dropped buffered audio to catch up
//   analyser     the AnalyserNode behind the volume; null while stopped
//   status       the newest status message of the chosen station; null before the first

// `status()`: as above.
export function expose(playback, status) {
  window.auralis = Object.freeze({
    get connection() { return playback.state; },
    get playing() { return playback.sounding; },
    get mode() { return playback.mode; },
    get codec() { return playback.codec; },
    get seq() { return playback.sound.seq; },
    get bufferMs() { return playback.sound.buffer_ms; },
    get latencyMs() { return playback.sound.latency_ms; },
    get underruns() { return playback.sound.underruns; },
    get gaps() { return playback.sound.gaps; },
    get skips() { return playback.sound.skips; },
    get analyser() { return playback.analyser; },
    get status() { return status(); },
  });
}
