// SPDX-License-Identifier: MIT
// Decodes audio messages of docs/protocol.md. Both functions return
//   { seq, due_ms, rate, frames, silent, samples }
// with `samples` interleaved 16 bit stereo; for Opus
//   { seq, due_ms, rate, frames, silent, begins, packets }
// with `begins`: whether the decoder resets before this message. They return null for a message that this player does not
// support. Samples and packets are views of the message itself if possible.

const MAGIC = 0x31525541;              // "AUR1" read as a little-endian word
const HEADER_BYTES = 32;
const CODEC_PCM = 0;
const CODEC_OPUS = 1;
const FLAG_SILENCE = 1;
const FLAG_BEGINS = 2;
const CHANNELS = 2;

export function decode_binary(message) {
  if (message.byteLength < HEADER_BYTES) return null;
  const view = new DataView(message);
  if (view.getUint32(0, true) !== MAGIC || view.getUint8(5) !== CHANNELS) return null;
  const flags = view.getUint16(6, true);
  const header = {
    seq: Number(view.getBigUint64(8, true)),
    due_ms: Number(view.getBigInt64(16, true)) / 1000,
    rate: view.getUint32(24, true),
    frames: view.getUint32(28, true),
    silent: (flags & FLAG_SILENCE) !== 0,
  };
  switch (view.getUint8(4)) {
    case CODEC_PCM: {
      if (message.byteLength < HEADER_BYTES + header.frames * CHANNELS * 2) return null;
      return { ...header, samples: new Int16Array(message, HEADER_BYTES, header.frames * CHANNELS) };
    }
    case CODEC_OPUS: {
      const packets = packets_of(view);
      return packets && { ...header, begins: (flags & FLAG_BEGINS) !== 0, packets };
    }
    default:
      return null;
  }
}

// Each packet follows its length; returns null if the message ends within one.
function packets_of(view) {
  const packets = [];
  for (let at = HEADER_BYTES; at < view.byteLength;) {
    if (at + 2 > view.byteLength) return null;
    const length = view.getUint16(at, true);
    at += 2;
    if (at + length > view.byteLength) return null;
    packets.push(new Uint8Array(view.buffer, at, length));
    at += length;
  }
  return packets;
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
