// SPDX-License-Identifier: MIT
// The audio thread's end: chunks come through a port of their own, directly from the connection's thread; process() pulls
// frames from the jitter buffer, and ten times a second the page gets a report of the playback position.
import { JitterBuffer } from "./jitter_buffer.js";
import { SampleMemory } from "./sample_memory.js";

const REPORT_INTERVAL_S = 0.1;
const REMEMBERED_S = 60;

export function register_processor() {
  class PlaybackProcessor extends AudioWorkletProcessor {
    constructor() {
      super();
      this.buffer = new JitterBuffer({ output_rate: sampleRate });
      this.memory = new SampleMemory(sampleRate, REMEMBERED_S);
      this.stopped = false;
      this.next_report = 0;
      this.chunks = null;
      this.port.onmessage = ({ data }) => {
        if (data.stop) this.stopped = true;
        else if (data.chunks) this.take_chunks_from(data.chunks);
        else if (data.recent) this.send({ recent: this.memory.recent() });
        else if (data.record !== undefined) this.memory.record(data.record ? (block) => this.send({ block }) : null);
        else this.buffer.set_near(data.near);
      };
    }

    // Chunks that the former source still sends are ignored.
    take_chunks_from(port) {
      this.chunks?.close();
      this.chunks = port;
      this.buffer.change_source();
      port.onmessage = ({ data }) => this.buffer.append(data);
    }

    process(_inputs, [[left, right]]) {
      if (currentTime >= this.next_report) {
        this.next_report = currentTime + REPORT_INTERVAL_S;
        this.report();
      }
      this.buffer.pull(left, right, left.length);
      if (this.buffer.playing) this.memory.add(left, right);
      return !this.stopped;
    }

    // Samples are handed over, not copied.
    send(message) {
      this.port.postMessage(message, Object.values(message).map(({ buffer }) => buffer));
    }

    // `context_time` is when the frame at `position` leaves this node, before the sound card's own latency.
    report() {
      this.port.postMessage({ context_time: currentTime, ...this.buffer.report() });
    }
  }

  registerProcessor("auralis-playback", PlaybackProcessor);
}
