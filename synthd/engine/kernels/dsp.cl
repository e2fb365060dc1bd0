// SPDX-License-Identifier: MIT
// The sound of each voice as a function of n, the frames since its start: no state, so any frame may be
// computed anywhere. Phases are whole numbers of 2^-32 turns and wrap; what is slow is a float of n (below
// 2^24, so exact).
//
// Given by the host: SAMPLE_RATE, CHUNK_FRAMES, PAD_RELEASE_FRAMES, LEAD_RELEASE_FRAMES, KICK_FRAMES.

#define TURN 4294967296.0f
#define SECONDS(s) ((s) * (float)SAMPLE_RATE)
#define LFO_INCREMENT(hz) ((uint)((hz) * (TURN / (float)SAMPLE_RATE)))
#define QUARTER_TURN 0x40000000u
#define HALF_TURN 0x80000000u
#define SAW_LEVEL 0.25f  // of a pad, against its sine

// As PackedVoice and PackedStation in voice_pack.h.
typedef struct {
  int start;
  uint gate;
  uint increment;
  uint detuned;
  uint seed;
  float left;
  float right;
  uint reserved;
} Voice;

typedef struct {
  uint first_frame;
  uint dither_seed;
  uint reserved[2];
  uint ends[4];
  float gains_start[4];
  float gains_end[4];
} Station;

// The finaliser of MurmurHash3 (Austin Appleby, public domain): every bit of x moves every bit of the result.
uint hash(uint x) {
  x ^= x >> 16;
  x *= 0x85ebca6bu;
  x ^= x >> 13;
  x *= 0xc2b2ae35u;
  return x ^ x >> 16;
}

// sin(2 pi phase), error below 5e-7: an odd polynomial over a quarter turn each way, fitted to the least
// largest error.
float sine(uint phase) {
  const float turns = (float)(int)phase * (1.0f / TURN);
  const float x = fabs(turns) > 0.25f ? copysign(0.5f, turns) - turns : turns;
  const float y = x * x;
  return x * (6.28318516f + y * (-41.3416550f + y * (81.6010041f + y * (-76.5497823f + y * 39.5367060f))));
}

// A rising saw of -1 to 1 whose step is rounded off over a frame to either side (polyBLEP: Valimaki and
// Huovilainen, "Antialiasing oscillators in subtractive synthesis", IEEE Signal Processing Magazine 24(2),
// 2007).
float saw(uint phase, float per_increment) {
  const float after = fmin((float)phase * per_increment, 1.0f);
  const float before = fmin((float)(0u - phase) * per_increment, 1.0f);
  const float rest_after = 1.0f - after;
  const float rest_before = phase == 0u ? 0.0f : 1.0f - before;
  return (float)phase * (2.0f / TURN) - 1.0f + rest_after * rest_after - rest_before * rest_before;
}

// 0 to 1 with level ends, for x from 0 to 1.
float smooth(float x) {
  x = clamp(x, 0.0f, 1.0f);
  return x * x * (3.0f - 2.0f * x);
}

// Attack, decay, sustain while the gate holds, then release from wherever that got to.
float adsr(int n, uint gate, float attack, float decay, float sustain, float release) {
  const float held = (float)min(n, (int)gate);
  const float after = (float)max(n - (int)gate, 0);
  const float level = 1.0f - (1.0f - sustain) * clamp((held - attack) / decay, 0.0f, 1.0f);
  return smooth(held / attack) * level * (1.0f - smooth(after / release));
}

float2 pad(const Voice v, int n) {
  const float envelope = adsr(n, v.gate, SECONDS(2.5f), SECONDS(3.0f), 0.75f, (float)PAD_RELEASE_FRAMES);
  const uint phase = v.increment * (uint)n + v.seed;
  const uint saw_phase = v.detuned * (uint)n + hash(v.seed);
  const float per_increment = 1.0f / (float)v.detuned;
  // The sides beat and tremble half a turn and a quarter apart: the pad slowly moves between them.
  const uint tremolo = LFO_INCREMENT(0.5f) * (uint)n + hash(v.seed + 1u);
  const float body = sine(phase);
  const float left = body + SAW_LEVEL * saw(saw_phase, per_increment);
  const float right = body + SAW_LEVEL * saw(saw_phase + HALF_TURN, per_increment);
  return envelope * (float2)(v.left * left * (0.9f + 0.1f * sine(tremolo)),
                             v.right * right * (0.9f + 0.1f * sine(tremolo + QUARTER_TURN)));
}

float2 lead(const Voice v, int n) {
  const float envelope = adsr(n, v.gate, SECONDS(0.3f), SECONDS(0.5f), 0.8f, (float)LEAD_RELEASE_FRAMES);
  // Vibrato of 7 cents at 4.8 Hz that sets in slowly, as a swing of the phase: depth / (2 pi 4.8 Hz) of the
  // frequency.
  const float swing = (float)v.increment * (0.00405f / 6.2831853f) * SECONDS(1.0f / 4.8f);
  const float vibrato = swing * smooth((float)n / SECONDS(1.2f)) * sine(LFO_INCREMENT(4.8f) * (uint)n);
  const float tone = sine(v.increment * (uint)n + (uint)(int)vibrato);
  return envelope * tone * (float2)(v.left, v.right);
}

// Falls from 150 Hz to 40 Hz (that is v.increment): f(t) = f0 (1 + 2.75 exp(-t / s)), so
// phase(t) = f0 t + 2.75 f0 s (1 - exp(-t / s)).
float2 kick(const Voice v, int n) {
  const float t = (float)n;
  const float sweep = SECONDS(0.045f);
  const float extra = 2.75f * sweep * ((float)v.increment * (1.0f / TURN)) * (1.0f - exp(-t / sweep));
  const float tone = sine(v.increment * (uint)n + (uint)((extra - floor(extra)) * TURN));
  const float envelope =
      smooth(t / SECONDS(0.004f)) * exp(-t / SECONDS(0.22f)) * (1.0f - smooth(t / (float)KICK_FRAMES));
  return envelope * tone * (float2)(v.left, v.right);
}

// Random values of -1 to 1, one every `cell` frames, and smooth ways between them.
float value_noise(uint seed, uint n, uint cell) {
  const uint place = n / cell;
  const float from = (float)(int)hash(seed + place) * (2.0f / TURN);
  const float to = (float)(int)hash(seed + place + 1u) * (2.0f / TURN);
  return from + (to - from) * smooth((float)(n - place * cell) * (1.0f / (float)cell));
}

float wind(uint seed, uint n) {
  return 0.7f * value_noise(seed, n, SAMPLE_RATE / 500) +
         0.35f * value_noise(seed ^ 0x5bd1e995u, n, SAMPLE_RATE / 2000);
}

float2 swell(const Voice v, int n) {
  const float x = (float)n / (float)v.gate;
  const float envelope = smooth(x * 2.2f) * smooth((1.0f - x) * 1.8f);
  const uint slow = LFO_INCREMENT(0.3f) * (uint)n + v.seed;
  const float left = (0.7f + 0.3f * sine(slow)) * wind(hash(v.seed), (uint)n);
  const float right = (0.7f + 0.3f * sine(slow + QUARTER_TURN)) * wind(hash(~v.seed), (uint)n);
  return envelope * (float2)(v.left * left, v.right * right);
}

// 16 bits with triangular dither of one step either way (Lipshitz, Wannamaker and Vanderkooy, "Quantization
// and dither", JAES 40(5), 1992), a hash of the frame's own number.
short quantised(float x, uint random) {
  const float dither = ((float)(random & 0xffffu) - (float)(random >> 16)) * (1.0f / 65536.0f);
  return convert_short_sat_rte(tanh(0.7f * x) * 32766.0f + dither);
}
