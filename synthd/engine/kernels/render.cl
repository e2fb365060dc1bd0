// SPDX-License-Identifier: MIT
// One work item a frame and a station: adds up the station's voices and writes one stereo frame. Compiled
// with dsp.cl before it. Also given by the host: FRAME_STRIDE, VOICE_STRIDE.

// A voice's share of a frame; none outside its life.
#define ADD_VOICES(type, first, voice_of, length)                                       \
  {                                                                                     \
    float2 sum = (float2)(0.0f);                                                        \
    for (uint i = (first); i < station->ends[type]; ++i) {                              \
      const Voice v = voices[i];                                                        \
      const int n = frame - v.start;                                                    \
      const float2 sample = voice_of(v, max(n, 0));                                     \
      sum += n >= 0 && n < (int)(length) ? sample : (float2)(0.0f);                     \
    }                                                                                   \
    mix_sum += sum * (station->gains_start[type] +                                      \
                      (station->gains_end[type] - station->gains_start[type]) * along); \
  }

__kernel void render(__global const Voice* all_voices, __global const Station* all_stations,
                     uint station_count, __global short2* out) {
  const int frame = (int)get_global_id(0);
  const uint index = (uint)get_global_id(1);
  if (index >= station_count) return;
  __global const Station* station = all_stations + index;
  __global const Voice* voices = all_voices + index * VOICE_STRIDE;

  const float along = (float)frame * (1.0f / (float)CHUNK_FRAMES);
  float2 mix_sum = (float2)(0.0f);
  ADD_VOICES(0, 0, pad, v.gate + PAD_RELEASE_FRAMES)
  ADD_VOICES(1, station->ends[0], lead, v.gate + LEAD_RELEASE_FRAMES)
  ADD_VOICES(2, station->ends[1], kick, KICK_FRAMES)
  ADD_VOICES(3, station->ends[2], swell, v.gate)

  const uint random = hash((station->first_frame + (uint)frame) ^ station->dither_seed);
  out[index * FRAME_STRIDE + (uint)frame] =
      (short2)(quantised(mix_sum.x, random), quantised(mix_sum.y, hash(random + 1u)));
}
