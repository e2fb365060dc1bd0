// SPDX-License-Identifier: MIT
#include "tools/music.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace auralis {
namespace {

// Keeps only the voices of the track in `chunk`; `voices` owns them. Muting the others by their gains would
// render them in vain.
void restrict_to(Track track, StationChunk& chunk, std::vector<Voice>& voices) {
  voices.clear();
  std::copy_if(chunk.voices, chunk.voices + chunk.voice_count, std::back_inserter(voices),
               [&](const Voice& voice) { return (track >> static_cast<unsigned>(voice.type) & 1U) != 0; });
  chunk.voices = voices.data();
  chunk.voice_count = voices.size();
}

}  // namespace

Music::Music(Engine& engine, const Timeline& timeline, std::uint64_t seed, const ParameterHistory& history,
             std::vector<Track> tracks, std::int64_t first_frame)
    : engine_(engine),
      timeline_(timeline),
      tracks_(std::move(tracks)),
      station_(seed, timeline, history),
      chunk_(station_.reverb_chunk(first_frame / timeline.chunk_frames) - 1),
      voices_(tracks_.size()),
      batch_(tracks_.size()) {}

void Music::render_chunk() {
  ++chunk_;
  const StationChunk whole = station_.prepare(chunk_);
  for (std::size_t track = 0; track < tracks_.size(); ++track) {
    batch_[track] = whole;
    batch_[track].station = track;
    restrict_to(tracks_[track], batch_[track], voices_[track]);
  }
  engine_.render(batch_.data(), batch_.size());
}

}  // namespace auralis
