// SPDX-License-Identifier: MIT
#include "tests/unit/synthd/reference.h"

#include "synthd/engine/stage_memory.h"
#include "synthd/engine/voice_pack.h"

#define DSP_SET reference
#define DSP_DOUBLE
#include "synthd/engine/dsp/chunk.h"

namespace auralis::test {

struct Reference::Impl {
  DspShape dsp;
  Stages<double> stages = reference::stages("reference");
  VoicePacker packer;
  StationPositions positions;
  PackedStation station{};
  std::vector<PackedVoice> voices;
  StageMemory<double> curves;
  StageMemory<double> bus;
  StageMemory<double> reverbs;
  std::vector<double> mix;

  explicit Impl(const EngineShape& shape)
      : dsp(dsp_shape(shape)),
        packer(shape),
        positions(shape),
        voices(shape.voices),
        curves(curve_words(dsp)),
        bus(kBlockBusWords),
        reverbs(reverb_words(dsp)),
        mix(std::size_t{shape.chunk_frames} * 2) {}
};

Reference::Reference(const EngineShape& shape) : impl_(std::make_unique<Impl>(shape)) {}
Reference::~Reference() = default;

const std::vector<double>& Reference::render(const StationChunk& chunk) {
  Impl& i = *impl_;
  i.packer.pack(chunk, i.voices.data(), i.station);
  i.station.reverb_clear = i.positions.advance(chunk) ? 1 : 0;
  render_chunk(i.stages, i.dsp, i.station, i.voices.data(), i.curves.data(), i.bus.data(), i.reverbs.data(),
               [&](std::uint32_t begin, std::uint32_t end) {
                 i.stages.mix(&i.station, i.bus.data(), i.mix.data(), begin, end);
               });
  return i.mix;
}

}  // namespace auralis::test
