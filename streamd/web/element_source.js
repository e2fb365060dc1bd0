// SPDX-License-Identifier: MIT
// Plays a station's endless file over HTTP (/listen/NAME.opus) by an <audio> element: for browsers without an audio thread of the page's,
// and for phones, which keep it playing when they are locked. The browser buffers, so what a listener changes is heard seconds later.
//
// Where there is no other way what it plays goes through the Web Audio graph: volume and analyser are those of the other way. On a phone it
// does not ("direct"): a browser that suspends the page's graph would silence it, too. Then the volume is the element's own.

const REPORT_MS = 100;
const CROSSFADE_S = 0.4;
const AGAIN_MS = 1000;                 // after an element's end or failure
const STALLED_MS = 10_000;             // one that plays nothing for so long is replaced,
const PAUSED_MS = 5000;                // and one that was paused for so long, which would go on with music of then
const MOST_REFUSALS = 2;               // of Opus, after which WAV is tried: the server may have no more encoders
// WHY wait: browsers hand on what they load in blocks (Chromium 32 kB: 2.6 s of Opus), and begin with the first one. The second would come in
// the very moment in which the first has been played.
const HOLD_MS = 1000;
const SILENCE = 1e-5;                  // no sample of music is below that for long
const OPUS_TYPE = "audio/ogg; codecs=opus";

export class ElementSource {
  mode = "element";
  #context;
  #on_report;
  #direct;
  #volume = 1;
  #timer;
  #all = new Set();                    // of { name, element, gain, analyser, held, began, refused, still_ms, timer }
  #newest = null;                      // the one that is to be heard,
  #heard = null;                       // and the one that is: the last that began
  #refusals = 0;                       // of the newest station in Opus
  #samples = new Float32Array(2048);
  #report = { playing: false, sounding: false, level_ms: 0, target_ms: null, underruns: 0, gaps: 0, skips: 0, listened_ms: 0, silence_ms: 0, position: null };

  // `on_report`: as in output.js; `position` is always null, since an element does not tell when what it plays was due.
  constructor(context, on_report, direct) {
    this.#context = context;
    this.#on_report = on_report;
    this.#direct = direct;
    this.node = context.createGain();
    this.#timer = setInterval(() => this.#look(), REPORT_MS);
  }

  get direct() {
    return this.#direct;
  }

  // Crossfades to the station of that name once it plays, and stays with it.
  play_station(name) {
    if (this.#newest?.name === name) return;
    this.#refusals = 0;
    this.#start(name);
  }

  // Chunks of a connection are not played.
  take_chunks_from(port) {
    port.close();
  }

  set_near() {}

  // Of a direct element.
  set volume(gain) {
    this.#volume = gain;
    for (const { element } of this.#all) element.volume = gain;
  }

  // Whether the browser has paused it, or refused to begin without a gesture.
  get paused() {
    const newest = this.#newest;
    return newest !== null && (newest.refused || (newest.began && newest.element.paused && !newest.element.ended));
  }

  // Call within a gesture.
  resume() {
    const newest = this.#newest;
    if (!newest) return;
    if (newest.began && newest.still_ms >= PAUSED_MS) return this.#start(newest.name);
    this.#play(newest);
  }

  close() {
    clearInterval(this.#timer);
    for (const one of this.#all) this.#end(one);
    this.#newest = this.#heard = null;
  }

  #start(name) {
    const opus = this.#refusals < MOST_REFUSALS && document.createElement("audio").canPlayType(OPUS_TYPE) !== "";
    const element = new Audio(new URL(`listen/${encodeURIComponent(name)}.${opus ? "opus" : "wav"}`, document.baseURI).href);
    const started = {
      name, element, gain: null, analyser: null, held: false, began: false, refused: false, still_ms: 0, timer: 0,
    };
    if (this.#direct) element.volume = this.#volume;
    else this.#connect(started);
    // Those that have not begun never will.
    for (const one of this.#all) if (!one.began) this.#end(one);
    this.#all.add(started);
    this.#newest = started;
    element.addEventListener("playing", () => this.#playing(started));
    for (const event of ["ended", "error"]) element.addEventListener(event, () => this.#start_again(started));
    this.#play(started);
  }

  #connect(started) {
    started.gain = this.#context.createGain();
    started.gain.gain.value = 0;
    started.analyser = this.#context.createAnalyser();
    this.#context.createMediaElementSource(started.element).connect(started.analyser).connect(started.gain).connect(this.node);
  }

  #play(started) {
    started.refused = false;
    started.element.play().catch(({ name }) => { started.refused = name === "NotAllowedError"; });
  }

  #playing(started) {
    if (started !== this.#newest) return;
    if (!started.held) {
      started.held = true;
      started.element.pause();
      started.timer = setTimeout(() => this.#play(started), HOLD_MS);
      return;
    }
    started.began = true;
    started.gain?.gain.setTargetAtTime(1, this.#context.currentTime, CROSSFADE_S / 4);
    this.#heard = started;
    for (const one of this.#all) if (one !== started) this.#end(one);
  }

  // The server has ended it, refuses it or is away.
  #start_again(ended) {
    if (ended !== this.#newest) return;
    if (!ended.held) ++this.#refusals;
    this.#end(ended);
    ended.timer = setTimeout(() => { if (ended === this.#newest) this.#start(ended.name); }, AGAIN_MS);
  }

  #end(ended) {
    if (!this.#all.delete(ended)) return;
    clearTimeout(ended.timer);
    ended.gain?.gain.setTargetAtTime(0, this.#context.currentTime, CROSSFADE_S / 4);
    setTimeout(() => {
      ended.element.removeAttribute("src");
      ended.element.load();
      ended.gain?.disconnect();
    }, ended.began ? CROSSFADE_S * 1000 : 0);
  }

  #look() {
    if (!this.#direct && this.#context.state !== "running") return;
    if (this.#heard) this.#measure(this.#heard);
    const newest = this.#newest;
    if (newest?.began && newest.still_ms >= STALLED_MS && !newest.element.paused) this.#start(newest.name);
    this.#on_report({ context_time: this.#context.currentTime, ...this.#report });
  }

  #measure(heard) {
    const { element, analyser } = heard;
    const { buffered } = element;
    const report = this.#report;
    const played = report.playing;
    report.playing = !element.paused && element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
    report.level_ms = buffered.length > 0 ? Math.max(0, buffered.end(buffered.length - 1) - element.currentTime) * 1000 : 0;
    analyser?.getFloatTimeDomainData(this.#samples);
    report.sounding = report.playing && (analyser === null || this.#samples.some((sample) => Math.abs(sample) > SILENCE));
    if (played && !report.playing) ++report.underruns;
    heard.still_ms = report.playing ? 0 : heard.still_ms + REPORT_MS;
    report.listened_ms += REPORT_MS;
    if (!report.sounding) report.silence_ms += REPORT_MS;
  }
}
