// SPDX-License-Identifier: MIT
// The stages as kernels. A launch renders a slice of a batch: `count` stations from `first` on. Curves and
// buses belong to the slice. Global sizes are fixed; items beyond `count` return at once. A group of
// DSP_LANES items works on a voice, a station's reverbs, or a run of kFinishFrames frames; MIX_LANES items
// mix a block.

__kernel void render_curves(__global const DspShape* shape, __global const PackedStation* stations,
                            __global const PackedVoice* voices, __global real* curves, uint first,
                            uint count) {
  const uint index = (uint)get_global_id(2);
  const uint voice = (uint)get_global_id(1);
  if (index >= count) return;
  const uint station = first + index;
  if (voice >= stations[station].ends[kGroups - 1]) return;
  const size_t own_voices = (size_t)station * shape->voice_stride;
  const size_t curve_words = (size_t)shape->voice_stride * (kCurves * shape->curve_points);
  curves_of_voice(shape, stations + station, voices + own_voices, curves + index * curve_words, voice,
                  (uint)get_local_id(0));
}

__kernel void render_blocks(__global const DspShape* shape, __global const PackedStation* stations,
                            __global const PackedVoice* voices, __global const real* curves,
                            __global real* buses, uint first, uint count) {
  const uint index = (uint)get_global_id(1);
  const uint block = (uint)get_global_id(0) / MIX_LANES;
  if (index >= count || block >= shape->tiles / kBlockTiles) return;
  const uint station = first + index;
  const size_t own_voices = (size_t)station * shape->voice_stride;
  const size_t curve_words = (size_t)shape->voice_stride * (kCurves * shape->curve_points);
  const uint plane = shape->tiles * kTileFrames;
  mix_block(shape, stations + station, voices + own_voices, curves + index * curve_words,
            buses + (size_t)index * (kPlanes * plane) + block * kBlockFrames, plane, block,
            (uint)get_global_id(0) % MIX_LANES);
}

__kernel void render_reverb(__global const DspShape* shape, __global const PackedStation* stations,
                            __global real* buses, __global real* reverbs, uint first, uint count) {
  const uint index = (uint)get_global_id(1);
  if (index >= count) return;
  __global const PackedStation* station = stations + first + index;
  const uint plane = shape->tiles * kTileFrames;
  __global real* bus = buses + (size_t)index * (kPlanes * plane) + station->first_frame;
  reverb_frames(shape, station, reverbs + (size_t)station->index * (kReverbs * shape->reverb_frames),
                PLANE(bus, SENT_LEFT), PLANE(bus, SENT_RIGHT), PLANE(bus, DRY_LEFT), PLANE(bus, DRY_RIGHT), 0,
                shape->chunk_frames, (uint)get_local_id(0));
}

__kernel void finish(__global const DspShape* shape, __global const PackedStation* stations,
                     __global const real* buses, __global void* output, uint first, uint count) {
  const uint index = (uint)get_global_id(1);
  if (index >= count) return;
  const uint station = first + index;
  const uint plane = shape->tiles * kTileFrames;
  __global const real* bus = buses + (size_t)index * (kPlanes * plane) + stations[station].first_frame;
  const size_t place = (size_t)station * shape->chunk_frames * 2;
  const int begin = (int)get_group_id(0) * kFinishFrames;
  const int end = min(begin + kFinishFrames, (int)shape->chunk_frames);
  __global const real* left = PLANE(bus, DRY_LEFT) + begin;
  __global const real* right = PLANE(bus, DRY_RIGHT) + begin;
  if (FLOAT_MIX) {
    finish_mix(left, right, (__global real*)output + place, begin, end, (uint)get_local_id(0));
  } else {
    finish_samples(stations + station, left, right, (__global short*)output + place, begin, end,
                   (uint)get_local_id(0));
  }
}
