// SPDX-License-Identifier: MIT
// The audio thread's end: chunks come through a port of their own, directly from the connection's thread; process() pulls
// frames from the jitter buffer, and ten times a second the page gets a report of the playback position.
import { JitterBuffer } from "./jitter_buffer.js";

const REPORT_INTERVAL_S = 0.1;

export function register_processor() {
  class PlaybackProcessor extends AudioWorkletProcessor {
    constructor() {
      super();
      this.buffer = new JitterBuffer({ output_rate: sampleRate });
      this.stopped = false;
      this.next_report = 0;
      this.chunks = null;
      this.port.onmessage = ({ data }) => {
        if (data.stop) this.stopped = true;
        else if (data.chunks) this.take_chunks_from(data.chunks);
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
      return !this.stopped;
    }

    // `context_time` is when the frame at `position` leaves this node, before the sound card's own latency.
    report() {
      this.port.postMessage({ context_time: currentTime, ...this.buffer.report() });
    }
  }

  registerProcessor("auralis-playback", PlaybackProcessor);
}
