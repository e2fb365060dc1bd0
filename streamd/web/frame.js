// SPDX-License-Identifier: MIT
// Audio messages of docs/protocol.md. Both decoders return
//   { seq, due_ms, rate, frames, silent, samples }
// with `samples` interleaved 16 bit stereo (a view of the message itself where that is possible), or null for what this
// player does not know.

const MAGIC = 0x31525541;              // "AUR1" read as a little-endian word
const HEADER_BYTES = 32;
const CODEC_PCM = 0;
const FLAG_SILENCE = 1;
const CHANNELS = 2;

export function decode_binary(message) {
  if (message.byteLength < HEADER_BYTES) return null;
  const view = new DataView(message);
  const frames = view.getUint32(28, true);
  const known = view.getUint32(0, true) === MAGIC && view.getUint8(4) === CODEC_PCM && view.getUint8(5) === CHANNELS;
  if (!known || message.byteLength < HEADER_BYTES + frames * CHANNELS * 2) return null;
  return {
    seq: Number(view.getBigUint64(8, true)),
    due_ms: Number(view.getBigInt64(16, true)) / 1000,
    rate: view.getUint32(24, true),
    frames,
    silent: (view.getUint16(6, true) & FLAG_SILENCE) !== 0,
    samples: new Int16Array(message, HEADER_BYTES, frames * CHANNELS),
  };
}

// `message`: the parsed object of type "audio".
export function decode_json(message) {
  if (message.channels !== CHANNELS) return null;
  const text = atob(message.data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  const frames = Math.floor(bytes.length / (CHANNELS * 2));
  return {
    seq: message.seq,
    due_ms: message.timestamp * 1000,
    rate: message.sample_rate,
    frames,
    silent: false,
    samples: new Int16Array(bytes.buffer, 0, frames * CHANNELS),
  };
}
