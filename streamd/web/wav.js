// SPDX-License-Identifier: MIT
// The header of a WAV file of PCM. Pure.

const HEADER_BYTES = 44;
const PCM = 1;

export function wav_header({ frames, sample_rate, channels, bits }) {
  const frame_bytes = channels * bits / 8;
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  const text = (at, word) => [...word].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  header.setUint32(4, HEADER_BYTES - 8 + frames * frame_bytes, true);
  text(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, PCM, true);
  header.setUint16(22, channels, true);
  header.setUint32(24, sample_rate, true);
  header.setUint32(28, sample_rate * frame_bytes, true);
  header.setUint16(32, frame_bytes, true);
  header.setUint16(34, bits, true);
  text(36, "data");
  header.setUint32(40, frames * frame_bytes, true);
  return header.buffer;
}
