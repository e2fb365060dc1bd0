// SPDX-License-Identifier: MIT
// The path to the sound card: source -> volume -> analyser -> destination. The source is a jitter buffer of chunks on the audio thread
// if the browser allows it ("worklet": https or localhost), else an <audio> element ("element", element_source.js). Create one within a
// user gesture; close it when done.
import { THREADS } from "./addresses.js";
import { ElementSource } from "./element_source.js";

const PROCESSOR = "auralis-playback";
const VOLUME_RAMP_S = 0.05;
const CLOSE_RAMP_S = 0.06;
const STAMP_FRESH_MS = 1000;           // an older one is from before a suspension

export class Output {
  // `prefers_element`: even where there is an audio thread, and outside the graph. `on_begin({ sample_rate, mode })`: called at once, with
  // what the Output will have; another mode if the browser cannot do what it says. `on_report(report)`: JitterBuffer.report(), and
  // `context_time`: when the frame at its position leaves the graph.
  // `on_change()`: the browser has suspended or resumed the output. Rejects if there is no sound output.
  static async create({ sample_rate, prefers_element, volume, on_begin, on_report, on_change }) {
    const context = make_context(sample_rate);
    context.resume().catch(() => {});  // at once: some browsers allow it only within the user gesture
    const by_worklet = !prefers_element && can_use_worklet(context);
    on_begin({ sample_rate: context.sampleRate, mode: by_worklet ? "worklet" : "element" });
    let source;
    try {
      source = by_worklet ? await WorkletSource.create(context, on_report) : null;
    } catch {
      source = null;                   // a browser that cannot import modules in a worklet
    }
    source ??= new ElementSource(context, on_report, prefers_element);
    return new Output(context, source, volume, on_change);
  }

  constructor(context, source, volume, on_change) {
    this.context = context;
    this.source = source;
    this.mode = source.mode;
    this.gain = context.createGain();
    this.gain.gain.value = volume;
    if (source.direct) source.volume = volume;
    this.analyser = context.createAnalyser();
    this.analyser.fftSize = 2048;
    this.analyser.smoothingTimeConstant = 0.85;
    source.node.connect(this.gain).connect(this.analyser).connect(context.destination);
    context.onstatechange = on_change;
  }

  // Takes chunks from `port`, of any thread, and no longer from the former port.
  take_chunks_from(port) {
    this.source.take_chunks_from(port);
  }

  // Plays the station of that name, if the source plays stations rather than chunks.
  play_station(name) {
    this.source.play_station?.(name);
  }

  // The newest minute of what was played, interleaved 16 bit stereo; null if the source is no jitter buffer.
  async recent_samples() {
    return await this.source.recent_samples?.() ?? null;
  }

  // Calls `on_block(samples)` with all that is played from now on; null: no longer.
  record(on_block) {
    this.source.record?.(on_block);
  }

  // The listener begins or ends changing the music, as JitterBuffer.set_near().
  set near(near) {
    this.source.set_near(near);
  }

  // Frames a second.
  get sample_rate() {
    return this.context.sampleRate;
  }

  // Whether the browser suspends the output: before it has started, or during a phone call.
  get suspended() {
    if (this.source.direct) return this.source.paused;
    return this.context.state !== "running" || (this.source.paused ?? false);
  }

  // Whether the browser has closed it for good: a new Output is needed.
  get closed() {
    return this.context.state === "closed";
  }

  // Asks the browser to resume the output. If it refuses or does not answer, the next gesture may ask again.
  resume() {
    this.context.resume().catch(() => {});
    this.source.resume?.();
  }

  set volume(value) {
    if (this.source.direct) this.source.volume = value;
    this.gain.gain.setTargetAtTime(value, this.context.currentTime, VOLUME_RAMP_S / 3);
  }

  // Moment at which the frame that leaves the graph at `context_time` is heard, by performance.now().
  heard_at_ms(context_time) {
    const stamp = this.context.getOutputTimestamp?.();
    if (stamp?.contextTime > 0 && performance.now() - stamp.performanceTime < STAMP_FRESH_MS) {
      return stamp.performanceTime + (context_time - stamp.contextTime) * 1000;
    }
    const latency_s = this.context.outputLatency || this.context.baseLatency || 0;
    return performance.now() + (context_time - this.context.currentTime + latency_s) * 1000;
  }

  async close() {
    this.context.onstatechange = null;
    this.gain.gain.setTargetAtTime(0, this.context.currentTime, CLOSE_RAMP_S / 4);
    await new Promise((resolve) => setTimeout(resolve, CLOSE_RAMP_S * 1000));
    this.source.close();
    if (!this.closed) await this.context.close();
  }
}

// Uses the stream's own rate, which needs no resampling; if the browser refuses it, its default rate, and the jitter buffer
// converts.
function make_context(sample_rate) {
  try {
    return new AudioContext({ sampleRate: sample_rate, latencyHint: "balanced" });
  } catch {
    return new AudioContext({ latencyHint: "balanced" });
  }
}

function can_use_worklet(context) {
  return isSecureContext && "audioWorklet" in context;
}

class WorkletSource {
  mode = "worklet";

  static async create(context, on_report) {
    await context.audioWorklet.addModule(THREADS);
    const node = new AudioWorkletNode(context, PROCESSOR, { numberOfInputs: 0, outputChannelCount: [2] });
    return new WorkletSource(node, on_report);
  }

  constructor(node, on_report) {
    this.node = node;
    this.on_recent = null;
    this.on_block = null;
    node.port.onmessage = ({ data }) => {
      if (data.recent) this.on_recent?.(data.recent);
      else if (data.block) this.on_block?.(data.block);
      else on_report(data);
    };
  }

  recent_samples() {
    return new Promise((resolve) => {
      this.on_recent = resolve;
      this.node.port.postMessage({ recent: true });
    });
  }

  record(on_block) {
    if (on_block) this.on_block = on_block;  // the last block comes after the end
    this.node.port.postMessage({ record: on_block !== null });
  }

  take_chunks_from(port) {
    this.node.port.postMessage({ chunks: port }, [port]);
  }

  set_near(near) {
    this.node.port.postMessage({ near });
  }

  close() {
    this.node.port.onmessage = null;
    this.node.port.postMessage({ stop: true });
  }
}
