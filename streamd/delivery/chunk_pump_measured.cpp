// SPDX-License-Identifier: MIT
// Hands chunks of the configured stations to the meter, and shows its findings.
#include "streamd/delivery/chunk_pump.h"

namespace auralis {

// The chunk of this turn, once, however many listeners take it.
void ChunkPump::offer_to_meter(Channel& channel) {
  const bool measured = channel.metrics != nullptr && channel.metrics->sent_audio;
  if (!measured || channel.offered == *turn_) return;
  channel.offered = *turn_;
  meter_.offer({channel.station, channel.recent.back().audio});
}

// At the end of a turn. The level is absent while no listener is sent the station, or the meter is behind.
void ChunkPump::show_measured() {
  while (const auto measured = meter_.take()) {
    Channel* const found = channel(measured->station);
    if (found == nullptr || !found->metrics->sent_audio) continue;
    AudioMetrics& audio = *found->metrics->sent_audio;
    audio.count(measured->findings, measured->cause, measured->seconds);
    audio.show_level(measured->peak, measured->loudness_lufs);
    found->measured = measured->seq;
  }
  const std::int64_t oldest = *turn_ - kMeasuredNs / timeline_->chunk_ns();
  for (auto& entry : channels_) {
    const Channel& channel = entry.second;
    if (!channel.metrics->sent_audio) continue;
    if (channel.offered < *turn_ || channel.measured < oldest) channel.metrics->sent_audio->clear_level();
  }
}

}  // namespace auralis
