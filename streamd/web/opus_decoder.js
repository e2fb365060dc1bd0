// SPDX-License-Identifier: MIT
// Decodes Opus packets with the browser's own decoder (WebCodecs), available on https pages and localhost only. Runs on any
// thread. A packet is 20 ms at 48 kHz.

export const OPUS_RATE = 48000;
const PACKET_US = 20000;
const CONFIG = { codec: "opus", sampleRate: OPUS_RATE, numberOfChannels: 2 };

export async function can_decode_opus() {
  try {
    return (await AudioDecoder.isConfigSupported(CONFIG)).supported;
  } catch {
    return false;                      // no WebCodecs here
  }
}

export class OpusDecoder {
  #run = null;

  // `done(samples)`: interleaved stereo as floats, or null if they could not be decoded; called once, later. `reset`: the
  // packets do not depend on earlier ones.
  decode(packets, reset, done) {
    if (reset) this.close();
    if (!this.#run || this.#run.failed) this.#run = new Run();
    this.#run.decode(packets, done);
  }

  // Packets already passed are still decoded.
  close() {
    this.#run?.end();
    this.#run = null;
  }
}

// One decoder and one continuous sequence of packets.
class Run {
  #decoder;
  #waiting = [];                       // { done, pieces, end }: `end` is the number of the packet after its last one
  #packets = 0;

  failed = false;

  constructor() {
    this.#decoder = new AudioDecoder({ output: (audio) => this.#take(audio), error: () => this.#fail() });
    this.#decoder.configure(CONFIG);
  }

  decode(packets, done) {
    this.#waiting.push({ done, pieces: [], end: this.#packets + packets.length });
    try {
      for (const data of packets) {
        this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: this.#packets++ * PACKET_US, data }));
      }
    } catch {
      this.#fail();
    }
  }

  end() {
    const close = () => {
      this.#fail();
      if (this.#decoder.state !== "closed") this.#decoder.close();
    };
    if (this.failed) close();
    else this.#decoder.flush().then(close, close);
  }

  // Output comes in the order of the packets; a packet without output is noticed when a later one comes.
  #take(audio) {
    const packet = Math.round(audio.timestamp / PACKET_US);
    while (this.#waiting.length > 0 && this.#waiting[0].end <= packet) this.#waiting.shift().done(null);
    const message = this.#waiting[0];
    message?.pieces.push(samples_of(audio));
    audio.close();
    if (message?.end === packet + 1) {
      this.#waiting.shift();
      message.done(joined(message.pieces));
    }
  }

  #fail() {
    this.failed = true;
    for (const { done } of this.#waiting.splice(0)) done(null);
  }
}

function samples_of(audio) {
  const samples = new Float32Array(audio.numberOfFrames * 2);
  const plane = new Float32Array(audio.numberOfFrames);
  for (const channel of [0, 1]) {
    audio.copyTo(plane, { planeIndex: Math.min(channel, audio.numberOfChannels - 1), format: "f32-planar" });
    for (let i = 0; i < plane.length; ++i) samples[2 * i + channel] = plane[i];
  }
  return samples;
}

function joined(pieces) {
  const samples = new Float32Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece, at);
    at += piece.length;
  }
  return samples;
}
