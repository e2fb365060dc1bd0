// SPDX-License-Identifier: MIT
#include "synthd/synth_loop.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

#include "common/base/log.h"
#include "synthd/engine/failover_engine.h"

namespace auralis {
namespace {

constexpr std::int64_t kCheckIntervalNs =
    100 * kNsPerMs;  // how soon a lost audio segment is noticed: a few system calls
constexpr std::int64_t kControlRefreshNs = 250 * kNsPerMs;  // a stat of the control segment's file
// Share of a step for warm-up, and stations warmed up together: few, so that the first ones play soon.
constexpr std::int64_t kWarmUpNs = 20 * kNsPerMs;
constexpr std::size_t kWarmUpBatch = 16;
constexpr std::int64_t kSkipLogPeriodNs = 10 * kNsPerSecond;  // an overloaded machine skips often

}  // namespace

SynthLoop::SynthLoop(const SynthParts& parts, const std::vector<StationConfig>& stations,
                     std::int64_t target_depth_ns)
    : parts_(parts),
      target_depth_ns_(target_depth_ns),
      configured_(stations),
      stations_({parts.engine, parts.audio, parts.metrics_writer, parts.metrics}),
      wakeups_(parts.metrics.wakeup_ms),
      control_versions_(parts.audio.capacity(), 0),
      last_step_ns_(parts.clock.now_ns()) {
  due_.reserve(stations_.capacity());
  batch_.reserve(stations_.capacity());
  show_engine();
  stations_.restore(last_step_ns_);
  stations_.apply(configured_, parts_.clock.now_ns());
  stations_.detach();
  parts_.metrics_writer.detach();
  parts_.audio.publish(last_step_ns_);
}

std::int64_t SynthLoop::step() {
  assert(thread_.is_current());
  const std::int64_t now_ns = parts_.clock.now_ns();
  last_step_ns_.store(now_ns, std::memory_order_relaxed);
  wakeups_.begin_step(now_ns);
  parts_.audio.beat(now_ns);
  parts_.metrics_writer.beat(now_ns);
  run_housekeeping(now_ns);
  take_configuration();
  poll_control(now_ns);
  collect_due(now_ns);
  if (!due_.empty()) render_due();
  const std::int64_t after_ns = parts_.clock.now_ns();
  const std::int64_t next_ns = next_step(after_ns);
  if (next_ns > after_ns) filled_ = true;
  wakeups_.end_step(next_ns);
  return next_ns;
}

// Restores the audio segment if another process removed it or cut it short.
void SynthLoop::run_housekeeping(std::int64_t now_ns) {
  if (now_ns < next_check_ns_) return;
  next_check_ns_ = now_ns + kCheckIntervalNs;
  show_realtime_factor(now_ns);
  if (parts_.audio.run_housekeeping(now_ns)) stations_.rewind(now_ns);
}

void SynthLoop::take_configuration() {
  if (!reconfigured_.exchange(false)) return;
  MutexLock lock(mutex_);
  configured_ = std::move(reconfigured_stations_);
  lock.unlock();
  stations_.apply(configured_, parts_.clock.now_ns());
}

void SynthLoop::poll_control(std::int64_t now_ns) {
  if (now_ns >= control_refresh_ns_) {
    control_refresh_ns_ = now_ns + kControlRefreshNs;
    if (parts_.control.refresh()) {
      std::fill(control_versions_.begin(), control_versions_.end(), 0);
      control_version_ = 0;
    }
  }
  const std::uint64_t version = parts_.control.version();
  if (version == control_version_ && !requests_wait_) return;
  control_version_ = version;
  requests_wait_ = false;
  for (std::size_t index = 0; index < stations_.capacity(); ++index) {
    const std::uint64_t request_version = parts_.control.version(index);
    if (request_version == control_versions_[index]) continue;
    const auto request = parts_.control.request(index);
    if (request && !apply(index, *request)) {
      requests_wait_ = true;
    } else {
      control_versions_[index] = request_version;
    }
  }
}

// Returns false if the request must wait for a later step. Ignores requests for a station that has ended or
// has not started.
bool SynthLoop::apply(std::size_t index, const ControlRequest& request) {
  const bool holds = stations_.holds(index, request.generation);
  switch (request.action) {
    case ControlAction::kChange:
      return !holds || change(index, request);
    case ControlAction::kOpen:
      if (!stations_.contains(index) && parts_.audio.generation(index) + 1 == request.generation)
        open_personal(index, request);
      return true;
    case ControlAction::kClose:
      if (holds && stations_.at(index).state.personal != 0) close_personal(index);
      return true;
  }
  return true;
}

bool SynthLoop::change(std::size_t index, const ControlRequest& request) {
  StationSlot& slot = stations_.at(index);
  if (request.number <= slot.state.applied_request) return true;
  const std::int64_t chunk = slot.next_own();
  if (!slot.station.takes_change(chunk)) return false;
  slot.station.change(request.history.changes[0].parameters, chunk);
  slot.state.history = slot.station.history();
  slot.state.applied_request = request.number;
  // Before the chunk: a synthd that takes over in between renders the same.
  parts_.audio.store_state(index, slot.state);
  log_info("controls applied", {log_field(index, slot.state),
                                {"request", static_cast<std::int64_t>(request.number)},
                                {"chunk", slot.newest + 1}});
  return true;
}

void SynthLoop::open_personal(std::size_t index, const ControlRequest& request) {
  StationState state = named_state(request.station);
  state.seed = request.seed;
  state.applied_request = request.number;
  state.personal = 1;
  state.open = 1;
  state.history = widened(request.history);
  stations_.add(index, state, request.chunk, parts_.clock.now_ns());
}

void SynthLoop::close_personal(std::size_t index) {
  stations_.remove(index);
  if (stations_.wants_index()) stations_.apply(configured_, parts_.clock.now_ns());
}

// The stations whose rings are below the target depth.
void SynthLoop::collect_due(std::int64_t now_ns) {
  due_.clear();
  playing_ = 0;
  for (std::size_t index = 0; index < stations_.capacity(); ++index) {
    if (!stations_.contains(index)) continue;
    ++playing_;
    skip_missed(index, now_ns);
    if (timeline().depth_ns(stations_.at(index).newest, now_ns) < target_depth_ns_) due_.push_back(index);
  }
}

// Resumes a ring that ran dry at the live position: chunks that are past could not be played.
void SynthLoop::skip_missed(std::size_t index, std::int64_t now_ns) {
  StationSlot& slot = stations_.at(index);
  const std::int64_t live = timeline().chunk_at(now_ns);
  const bool leads_in = slot.newest < slot.lead_in && live <= slot.lead_in + 1;
  if (slot.newest + 1 >= live || leads_in) return;
  const std::int64_t skipped = live - slot.newest;
  slot.newest = live;
  slot.metrics->skipped.add(static_cast<double>(skipped));
  if (now_ns < skip_log_ns_) return;
  skip_log_ns_ = now_ns + kSkipLogPeriodNs;
  log_warning("rendering fell behind: skipped chunks",
              {log_field(index, slot.state), {"skipped", skipped}, {"next_chunk", live + 1}});
}

void SynthLoop::render_due() {
  const auto is_warm = [this](std::size_t index) { return !warm_up_chunk(index); };
  // Configured stations before personal ones.
  const auto is_configured = [this](std::size_t index) { return stations_.at(index).state.personal == 0; };
  std::stable_partition(due_.begin(), due_.end(), is_configured);
  const auto cold = std::stable_partition(due_.begin(), due_.end(), is_warm);
  const auto ready = static_cast<std::size_t>(cold - due_.begin());
  try {
    if (ready > 0) render_ready(ready);
    if (cold != due_.end()) warm_up(ready);
  } catch (const EngineReplaced&) {  // the new engine is cold: the next step warms it up
    parts_.metrics.failovers.add();
    show_engine();
  }
}

void SynthLoop::show_engine() {
  const EngineInfo info = parts_.engine.info();
  parts_.metrics_writer.set_late_label(kEngineLabel, as_late_text(info.engine));
  parts_.metrics_writer.set_late_label(kDeviceLabel, as_late_text(info.device));
  parts_.metrics_writer.set_late_label(kDeviceTypeLabel, device_type_name(info.type));
  parts_.metrics.engine_info.set(1);
  const double memory_mb = static_cast<double>(parts_.engine.device_bytes()) / (1 << 20);
  parts_.metrics.gpu_memory_mb.clear();
  parts_.metrics.engine_memory_mb.clear();
  (info.type == DeviceType::kCpu ? parts_.metrics.engine_memory_mb : parts_.metrics.gpu_memory_mb)
      .set(memory_mb);
}

void SynthLoop::add_to_batch(std::size_t index, std::int64_t own_chunk) {
  batch_.push_back(stations_.at(index).station.prepare(own_chunk));
  batch_.back().station = index;
}

// Renders and publishes the next chunk of the first `count` due stations.
void SynthLoop::render_ready(std::size_t count) {
  assert(count <= due_.size());
  const std::int64_t begin_ns = parts_.clock.now_ns();
  batch_.clear();
  for (std::size_t d = 0; d < count; ++d) add_to_batch(due_[d], stations_.at(due_[d]).next_own());
  const std::int64_t composed_ns = parts_.clock.now_ns();
  const RenderReport report = parts_.engine.render(batch_.data(), batch_.size());
  const std::int64_t rendered_ns = parts_.clock.now_ns();
  for (std::size_t d = 0; d < count; ++d) {
    StationSlot& slot = stations_.at(due_[d]);
    parts_.audio.write_chunk(due_[d], slot.newest + 1, parts_.engine.samples(d));
    ++slot.newest;
    slot.metrics->published.add();
  }
  const std::int64_t end_ns = parts_.clock.now_ns();
  observe_ns(parts_.metrics.compose_ms, composed_ns - begin_ns);
  observe_ns(parts_.metrics.render_ms, rendered_ns - composed_ns);
  observe_ns(parts_.metrics.publish_ms, end_ns - rendered_ns);
  observe_ns(parts_.metrics.synthesis_ms, end_ns - begin_ns);
  realtime_factor_.add(end_ns, count, playing_, timeline().chunk_ns(), end_ns - begin_ns);
  parts_.metrics.device_busy_seconds.add(static_cast<double>(report.device_busy_ns) / kNsPerSecond);
  parts_.metrics.voices_dropped.add(static_cast<double>(report.voices_dropped));
  if (logs(LogLevel::kDebug)) log_sampled_batch(static_cast<double>(end_ns - begin_ns) / kNsPerMs);
}

// One batch of ten: each would be ten lines a second.
void SynthLoop::log_sampled_batch(double took_ms) {
  constexpr std::uint64_t kSampling = 10;
  if (batches_++ % kSampling != 0) return;
  std::size_t voices = 0;
  for (const StationChunk& chunk : batch_) voices += chunk.voice_count;
  const EngineInfo info = parts_.engine.info();
  log_debug("audio synthesised", {{"synthesis_time_ms", took_ms},
                                  {"duration_ms", timeline().chunk_ns() / kNsPerMs},
                                  {"stations", static_cast<std::int64_t>(batch_.size())},
                                  {"voices", static_cast<std::int64_t>(voices)},
                                  {"engine", info.engine},
                                  {"device_type", std::string(device_type_name(info.type))}});
}

void SynthLoop::show_realtime_factor(std::int64_t now_ns) {
  if (const auto factor = realtime_factor_.value(now_ns)) {
    parts_.metrics.realtime_factor.set(*factor);
  } else {
    parts_.metrics.realtime_factor.clear();
  }
}

// Warm-up: renders and discards the audio still audible in the reverb, for the due stations from `first` on,
// whose engine state is not at their next chunk: after a start, a gap, or the loss of a device. Spread over
// steps, so that the stations that play do not wait; the engine keeps its progress.
void SynthLoop::warm_up(std::size_t first) {
  using Offset = std::vector<std::size_t>::difference_type;
  const std::int64_t begin_ns = parts_.clock.now_ns();
  const auto is_warm = [this](std::size_t index) { return !warm_up_chunk(index); };
  while (first < due_.size() && parts_.clock.now_ns() - begin_ns < kWarmUpNs) {
    const std::size_t end = std::min(due_.size(), first + kWarmUpBatch);
    batch_.clear();
    for (std::size_t d = first; d < end; ++d) add_to_batch(due_[d], *warm_up_chunk(due_[d]));
    parts_.engine.render(batch_.data(), batch_.size());
    const auto cold = std::stable_partition(due_.begin() + static_cast<Offset>(first),
                                            due_.begin() + static_cast<Offset>(end), is_warm);
    first = static_cast<std::size_t>(cold - due_.begin());
  }
  const std::int64_t end_ns = parts_.clock.now_ns();
  realtime_factor_.add(end_ns, 0, playing_, timeline().chunk_ns(), end_ns - begin_ns);
}

// The station's own chunk to render next for warm-up: where the engine is, if it has rendered all that is
// still audible up to there; else the first audible one. Nothing if the engine is at the next chunk.
std::optional<std::int64_t> SynthLoop::warm_up_chunk(std::size_t index) const {
  const StationSlot& slot = stations_.at(index);
  const std::int64_t next = slot.next_own();
  const std::int64_t first = slot.station.reverb_chunk(next);
  const std::int64_t rendered = parts_.engine.next_frame(index);
  if (first == next || rendered == timeline().first_frame(next)) return std::nullopt;
  const bool in_progress =
      rendered >= timeline().first_frame(first) && rendered < timeline().first_frame(next);
  return in_progress ? rendered / timeline().chunk_frames : first;
}

std::int64_t SynthLoop::next_step(std::int64_t now_ns) const {
  std::int64_t next_ns = now_ns + kLongestWaitNs;
  for (std::size_t index = 0; index < stations_.capacity(); ++index) {
    if (!stations_.contains(index)) continue;
    // One more: from then on the depth is below the target.
    const std::int64_t due_ns = timeline().due_ns(stations_.at(index).newest + 1) - target_depth_ns_ + 1;
    next_ns = std::min(next_ns, due_ns);
  }
  return std::max(next_ns, now_ns);
}

void SynthLoop::run(const std::function<void()>& on_filled) {
  thread_.detach();
  stations_.detach();
  parts_.metrics_writer.detach();
  bool notified = false;
  MutexLock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const std::int64_t next_ns = step();
    if (filled_ && !notified) {
      notified = true;
      on_filled();
    }
    lock.lock();
    // steady_clock is CLOCK_MONOTONIC.
    const std::chrono::steady_clock::time_point wake{std::chrono::nanoseconds(next_ns)};
    while (!stopping_ && lock.wait_until(wake_, wake)) continue;
  }
}

void SynthLoop::reconfigure(std::vector<StationConfig> stations) {
  const MutexLock lock(mutex_);
  reconfigured_stations_ = std::move(stations);
  reconfigured_ = true;
}

void SynthLoop::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

bool SynthLoop::healthy(std::int64_t now_ns) const {
  return now_ns - last_step_ns_.load(std::memory_order_relaxed) <= kHungAfterNs;
}

}  // namespace auralis
