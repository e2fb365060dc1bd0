// SPDX-License-Identifier: MIT
#include "synthd/synth_loop.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "common/log.h"
#include "synthd/engine/failover_engine.h"
#include "synthd/engine/voice_pack.h"

namespace auralis {
namespace {

constexpr std::int64_t kFirstChunkLeadNs =
    200 * kNsPerMs;  // time to render the first chunk of a fresh segment
constexpr std::int64_t kControlRefreshNs = 250 * kNsPerMs;    // a stat of the control segment's file
constexpr std::int64_t kSkipLogPeriodNs = 10 * kNsPerSecond;  // an overloaded machine skips often

}  // namespace

Timeline make_timeline(const Config& config, std::int64_t now_ns) {
  Timeline timeline;
  timeline.epoch_ns = now_ns + kFirstChunkLeadNs;
  timeline.sample_rate = static_cast<std::uint32_t>(config.audio.sample_rate);
  timeline.chunk_frames =
      static_cast<std::uint32_t>(config.audio.sample_rate * config.audio.chunk_ms / 1'000);
  return timeline;
}

std::uint32_t ring_slots(const Config& config) {
  return static_cast<std::uint32_t>(config.audio.ring_ms / config.audio.chunk_ms);
}

SynthLoop::SynthLoop(const SynthParts& parts, const std::vector<StationInfo>& stations,
                     const MusicParameters& initial, std::int64_t target_depth_ns)
    : parts_(parts), target_depth_ns_(target_depth_ns), last_step_ns_(parts.clock.now_ns()) {
  const std::uint32_t sample_rate = parts_.audio.timeline().sample_rate;
  slots_.reserve(stations.size());
  for (std::size_t i = 0; i < stations.size(); ++i) {
    const StationState state = parts_.audio.state(i).value_or(Station::fresh_state(initial));
    slots_.push_back(
        {stations[i], Station(stations[i].seed, sample_rate, state), parts_.audio.newest(i).value_or(-1)});
    parts_.audio.store_state(i, state);
    if (parts_.audio.taken_over()) {
      log_info("going on with a former synthd's music",
               {{"station", stations[i].name}, {"chunk", slots_[i].newest + 1}});
    }
  }
  due_.reserve(slots_.size());
  recall_counts_.reserve(slots_.size());
  batch_.reserve(slots_.size());
  parts_.metrics.device_memory_mb.set(static_cast<double>(parts_.engine.device_bytes()) / (1 << 20));
  parts_.audio.publish(last_step_ns_);
}

std::int64_t SynthLoop::step() {
  const std::int64_t now_ns = parts_.clock.now_ns();
  last_step_ns_.store(now_ns, std::memory_order_relaxed);
  parts_.audio.beat(now_ns);
  parts_.metrics_writer.beat(now_ns);
  poll_control(now_ns);

  due_.clear();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    skip_missed(i, now_ns);
    if (parts_.audio.timeline().depth_ns(slots_[i].newest, now_ns) < target_depth_ns_) due_.push_back(i);
  }
  if (!due_.empty()) render_due();
  const std::int64_t after_ns = parts_.clock.now_ns();
  const std::int64_t next_ns = next_step(after_ns);
  if (next_ns > after_ns) filled_ = true;
  return next_ns;
}

void SynthLoop::poll_control(std::int64_t now_ns) {
  if (now_ns >= control_refresh_ns_) {
    control_refresh_ns_ = now_ns + kControlRefreshNs;
    if (parts_.control.refresh()) {
      for (auto& slot : slots_) slot.control_version = 0;
    }
  }
  for (std::size_t i = 0; i < std::min(slots_.size(), kControlSlots); ++i) {
    const std::uint64_t version = parts_.control.version(i);
    if (version == slots_[i].control_version) continue;
    slots_[i].control_version = version;
    apply_request(i);
  }
}

void SynthLoop::apply_request(std::size_t index) {
  Slot& slot = slots_[index];
  const auto request = parts_.control.request(index);
  if (!request || slot.info.name != std::string_view(request->station)) return;
  if (request->number <= slot.station.state().applied_request) return;
  slot.station.apply(*request, slot.newest + 1);
  log_info("controls applied", {{"station", slot.info.name},
                                {"request", static_cast<std::int64_t>(request->number)},
                                {"chunk", slot.newest + 1}});
}

// A ring that ran dry goes on where the music would be now: nobody could play what was missed.
void SynthLoop::skip_missed(std::size_t index, std::int64_t now_ns) {
  Slot& slot = slots_[index];
  const std::int64_t playing = parts_.audio.timeline().chunk_at(now_ns);
  if (slot.newest + 1 >= playing) return;
  const std::int64_t skipped = playing - slot.newest;
  slot.newest = playing;
  parts_.metrics.stations[index].skipped.add(static_cast<double>(skipped));
  if (now_ns < skip_log_ns_) return;
  skip_log_ns_ = now_ns + kSkipLogPeriodNs;
  log_warning("came too late and skipped chunks",
              {{"station", slot.info.name}, {"skipped", skipped}, {"next_chunk", playing + 1}});
}

void SynthLoop::render_due() {
  const Timeline& timeline = parts_.audio.timeline();
  batch_.clear();
  const std::int64_t begin_ns = parts_.clock.now_ns();
  for (const std::size_t i : due_) {
    batch_.push_back(slots_[i].station.prepare(timeline, slots_[i].newest + 1));
    batch_.back().slot = i;
    // Before the chunk: whoever takes over in between renders it alike.
    parts_.audio.store_state(i, slots_[i].station.state());
  }
  const RenderReport report = render_batch();
  for (std::size_t b = 0; b < due_.size(); ++b) {
    Slot& slot = slots_[due_[b]];
    parts_.audio.write_chunk(due_[b], slot.newest + 1, parts_.engine.samples(b));
    ++slot.newest;
    parts_.metrics.stations[due_[b]].published.add();
  }
  const auto took_ns = static_cast<double>(parts_.clock.now_ns() - begin_ns);
  parts_.metrics.synthesis_ms.observe(took_ns / kNsPerMs);
  parts_.metrics.device_busy_seconds.add(static_cast<double>(report.device_busy_ns) / kNsPerSecond);
  parts_.metrics.voices_dropped.add(static_cast<double>(report.voices_dropped));
}

RenderReport SynthLoop::render_batch() {
  const auto render = [this] {
    if (bring_up()) recall_due();
    return parts_.engine.render(batch_.data(), batch_.size());
  };
  try {
    return render();
  } catch (const EngineReplaced&) {  // also while it was brought up; the new one needs all of that again
    parts_.metrics.failovers.add();
    return render();
  }
}

// The batch of the step once more.
void SynthLoop::recall_due() {
  batch_.clear();
  for (const std::size_t i : due_) {
    batch_.push_back(slots_[i].station.recall(parts_.audio.timeline(), slots_[i].newest + 1));
    batch_.back().slot = i;
  }
}

// Renders, to be heard by nobody, the chunks that still ring in the reverb of those due stations whose engine
// does not stand where they go on: after a start, a gap, or the loss of a device. True if there were any;
// batch_ is then theirs.
bool SynthLoop::bring_up() {
  const Timeline& timeline = parts_.audio.timeline();
  const auto missing = [&](std::size_t i) -> std::int64_t {
    const std::int64_t chunk = slots_[i].newest + 1;
    const std::int64_t frame = timeline.first_frame(chunk);
    if (parts_.engine.next_frame(i) == frame) return 0;
    const std::uint32_t seed = slots_[i].station.dither_seed();
    return chunk - reverb_start(frame, seed, timeline.sample_rate) / timeline.chunk_frames;
  };
  std::int64_t most = 0;
  recall_counts_.clear();
  for (const std::size_t i : due_) {
    recall_counts_.push_back(missing(i));
    most = std::max(most, recall_counts_.back());
  }
  for (std::int64_t back = most; back > 0; --back) {
    batch_.clear();
    for (std::size_t d = 0; d < due_.size(); ++d) {
      if (recall_counts_[d] < back) continue;
      Slot& slot = slots_[due_[d]];
      batch_.push_back(slot.station.recall(timeline, slot.newest + 1 - back));
      batch_.back().slot = due_[d];
    }
    parts_.engine.render(batch_.data(), batch_.size());
  }
  return most > 0;
}

std::int64_t SynthLoop::next_step(std::int64_t now_ns) const {
  std::int64_t next_ns = now_ns + kLongestWaitNs;
  for (const auto& slot : slots_) {
    // One more: from then on the depth is below the target.
    const std::int64_t due_ns = parts_.audio.timeline().due_ns(slot.newest + 1) - target_depth_ns_ + 1;
    next_ns = std::min(next_ns, due_ns);
  }
  return std::max(next_ns, now_ns);
}

void SynthLoop::run(const std::function<void()>& on_filled) {
  bool told = false;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const std::int64_t next_ns = step();
    if (filled_ && !told) {
      told = true;
      on_filled();
    }
    lock.lock();
    // steady_clock is CLOCK_MONOTONIC.
    const std::chrono::steady_clock::time_point wake{std::chrono::nanoseconds(next_ns)};
    wake_.wait_until(lock, wake, [this] { return stopping_; });
  }
}

void SynthLoop::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

bool SynthLoop::healthy(std::int64_t now_ns) const {
  return now_ns - last_step_ns_.load(std::memory_order_relaxed) <= kHungAfterNs;
}

}  // namespace auralis
