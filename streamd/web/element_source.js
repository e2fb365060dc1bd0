// SPDX-License-Identifier: MIT
// Plays a station's endless file over HTTP (/listen/NAME.opus) by an <audio> element of its own: for browsers without an audio thread of
// the page's, and for phones, which keep it playing when they are locked. What it plays goes through the Web Audio graph: volume and
// analyser are those of the other way. The browser buffers, so what a listener changes is heard seconds later.

const REPORT_MS = 100;
const CROSSFADE_S = 0.4;
const AGAIN_MS = 1000;                 // after an element's end or failure
// WHY wait: browsers hand on what they load in blocks (Chromium 32 kB: 2.6 s of Opus), and begin with the first one. The second would come in
// the very moment in which the first has been played.
const HOLD_MS = 1000;
const SILENCE = 1e-5;                  // no sample of music is below that for long
const OPUS_TYPE = "audio/ogg; codecs=opus";

export class ElementSource {
  mode = "element";
  #context;
  #on_report;
  #timer;
  #current = null;                     // { name, element, gain, analyser, held, began, again }
  #samples = new Float32Array(2048);
  #report = { playing: false, sounding: false, level_ms: 0, underruns: 0, gaps: 0, skips: 0, listened_ms: 0, silence_ms: 0, position: null };

  // `on_report`: as in output.js; `position` is always null, since an element does not tell when what it plays was due.
  constructor(context, on_report) {
    this.#context = context;
    this.#on_report = on_report;
    this.node = context.createGain();
    this.#timer = setInterval(() => this.#look(), REPORT_MS);
  }

  // Crossfades to the station of that name once it plays, and stays with it.
  play_station(name) {
    if (this.#current?.name === name) return;
    const before = this.#current;
    this.#current = this.#start(name, () => this.#end(before));
    if (before) clearTimeout(before.again);
  }

  // Chunks of a connection are not played.
  take_chunks_from(port) {
    port.close();
  }

  set_near() {}

  // Whether the browser has paused it.
  get paused() {
    return this.#current !== null && this.#current.began && this.#current.element.paused && !this.#current.element.ended;
  }

  resume() {
    this.#current?.element.play().catch(() => {});
  }

  close() {
    clearInterval(this.#timer);
    this.#end(this.#current);
    this.#current = null;
  }

  #start(name, on_playing) {
    const ending = document.createElement("audio").canPlayType(OPUS_TYPE) ? "opus" : "wav";
    const element = new Audio(new URL(`listen/${encodeURIComponent(name)}.${ending}`, document.baseURI).href);
    const gain = this.#context.createGain();
    const analyser = this.#context.createAnalyser();
    gain.gain.value = 0;
    this.#context.createMediaElementSource(element).connect(analyser).connect(gain).connect(this.node);
    const started = { name, element, gain, analyser, held: false, began: false, again: 0 };
    element.addEventListener("playing", () => {
      if (!started.held) return this.#hold(started);
      if (!started.began) on_playing();
      started.began = true;
      gain.gain.setTargetAtTime(1, this.#context.currentTime, CROSSFADE_S / 4);
    });
    for (const event of ["ended", "error"]) element.addEventListener(event, () => this.#start_again(started));
    element.play().catch(() => {});
    return started;
  }

  // play() itself is called at once, within the listener's gesture.
  #hold(started) {
    started.held = true;
    started.element.pause();
    setTimeout(() => { if (started === this.#current) started.element.play().catch(() => {}); }, HOLD_MS);
  }

  // The server has ended it, or is away.
  #start_again(ended) {
    if (ended !== this.#current || ended.again) return;
    ended.again = setTimeout(() => {
      if (ended === this.#current) this.#current = this.#start(ended.name, () => this.#end(ended));
    }, AGAIN_MS);
  }

  #end(ended) {
    if (!ended) return;
    clearTimeout(ended.again);
    ended.gain.gain.setTargetAtTime(0, this.#context.currentTime, CROSSFADE_S / 4);
    setTimeout(() => {
      ended.element.removeAttribute("src");
      ended.element.load();
      ended.gain.disconnect();
    }, CROSSFADE_S * 1000);
  }

  #look() {
    if (this.#context.state !== "running") return;
    const element = this.#current?.element;
    const report = this.#report;
    if (element) {
      const played = report.playing;
      report.playing = !element.paused && element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
      if (played && !report.playing && this.#current.began) ++report.underruns;
      const { buffered } = element;
      report.level_ms = buffered.length > 0 ? Math.max(0, buffered.end(buffered.length - 1) - element.currentTime) * 1000 : 0;
      this.#current.analyser.getFloatTimeDomainData(this.#samples);
      report.sounding = report.playing && this.#samples.some((sample) => Math.abs(sample) > SILENCE);
      if (this.#current.began) {
        report.listened_ms += REPORT_MS;
        if (!report.sounding) report.silence_ms += REPORT_MS;
      }
    }
    this.#on_report({ context_time: this.#context.currentTime, ...report });
  }
}
