// SPDX-License-Identifier: MIT
#include "synthd/synth_loop.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "common/base/log.h"
#include "synthd/engine/failover_engine.h"

namespace auralis {
namespace {

constexpr std::int64_t kFirstChunkLeadNs =
    200 * kNsPerMs;  // time to render the first chunk of a fresh segment
constexpr std::int64_t kHouseNs =
    100 * kNsPerMs;  // how soon a lost audio segment is noticed: a few system calls
constexpr std::int64_t kControlRefreshNs = 250 * kNsPerMs;  // a stat of the control segment's file
// What a station that comes renders of the past; some of it is what streamd sends a new listener at once.
constexpr std::int64_t kLeadInNs = 300 * kNsPerMs;
// Of a step, for stations that are brought up; and how many of them at a time, so that the first ones play
// soon.
constexpr std::int64_t kWarmUpNs = 20 * kNsPerMs;
constexpr std::size_t kWarmUpBatch = 16;
constexpr std::int64_t kSkipLogPeriodNs = 10 * kNsPerSecond;  // an overloaded machine skips often

// What the log calls a station. Whoever knows a personal one's name may change it, so that has its place.
std::pair<std::string_view, LogValue> in_log(std::size_t place, const StationState& state) {
  if (state.personal != 0) return {"place", static_cast<std::int64_t>(place)};
  return {"station", std::string(state.name)};
}

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

SynthLoop::SynthLoop(const SynthParts& parts, const std::vector<StationConfig>& stations,
                     std::int64_t target_depth_ns)
    : parts_(parts),
      labels_(parts.metrics_writer),
      target_depth_ns_(target_depth_ns),
      configured_(stations),
      places_(parts.audio.capacity()),
      control_versions_(parts.audio.capacity(), 0),
      last_step_ns_(parts.clock.now_ns()) {
  due_.reserve(places_.size());
  batch_.reserve(places_.size());
  find_former();
  apply();
  parts_.metrics.device_memory_mb.set(static_cast<double>(parts_.engine.device_bytes()) / (1 << 20));
  parts_.audio.publish(last_step_ns_);
}

// What a former synthd left goes on.
void SynthLoop::find_former() {
  if (!parts_.audio.taken_over()) return;
  // Of a station without chunks, which its synthd did not live to render.
  const std::int64_t live = std::max<std::int64_t>(-1, timeline().chunk_at(last_step_ns_));
  for (std::size_t place = 0; place < places_.size(); ++place) {
    const auto state = parts_.audio.state(place);
    if (!state) continue;
    open(place, *state, parts_.audio.newest(place).value_or(live));
    log_info("going on with a former synthd's music",
             {in_log(place, *state), {"chunk", places_[place]->newest + 1}});
  }
}

// Makes the configured stations those of configured_.
void SynthLoop::apply() {
  std::vector<std::string_view> names;
  for (const StationConfig& station : configured_) {
    const auto place = place_of(station.name);
    // Another seed is another music.
    if (place && places_[*place]->state.seed == station.seed) names.emplace_back(station.name);
  }
  for (std::size_t place = 0; place < places_.size(); ++place) {
    if (!places_[place] || places_[place]->state.personal != 0) continue;
    if (std::find(names.begin(), names.end(), places_[place]->state.name) == names.end()) remove(place);
  }
  labels_.keep(names);
  lacks_place_ = false;
  for (const StationConfig& station : configured_) {
    const std::uint32_t open = station.open ? 1 : 0;
    if (const auto place = place_of(station.name)) {
      StationSlot& playing = *places_[*place];
      if (std::exchange(playing.state.open, open) != open) parts_.audio.store_state(*place, playing.state);
      continue;
    }
    StationState state = named_state(station.name);
    state.seed = station.seed;
    state.open = open;
    state.history = begun_with(station.parameters);
    if (const auto place = free_place()) {
      add(*place, state, 0);
    } else {
      lacks_place_ = true;
      log_error(
          "no place for a configured station: personal ones have them all; it plays when one of them ends",
          {{"station", station.name}, {"places", static_cast<std::int64_t>(places_.size())}});
    }
  }
}

std::optional<std::size_t> SynthLoop::place_of(std::string_view name) const {
  for (std::size_t place = 0; place < places_.size(); ++place) {
    const auto& playing = places_[place];
    if (playing && playing->state.personal == 0 && name == playing->state.name) return place;
  }
  return std::nullopt;
}

std::optional<std::size_t> SynthLoop::free_place() const {
  for (std::size_t place = 0; place < places_.size(); ++place) {
    if (!places_[place]) return place;
  }
  return std::nullopt;
}

void SynthLoop::open(std::size_t place, const StationState& state, std::int64_t newest) {
  SynthMetrics::StationMetrics* metrics = &parts_.metrics.personal;
  if (state.personal == 0) {
    if (const auto label = labels_.label_of(state.name)) metrics = &parts_.metrics.configured.at(*label);
  }
  places_[place].emplace(
      StationSlot{state, Station(state.seed, timeline(), state.history), newest, newest, metrics});
  parts_.engine.forget(place);
}

// A station that was not there before; it begins with its `own_chunk`, and a little in the past, so that its
// first listener is sent sound at once.
void SynthLoop::add(std::size_t place, StationState state, std::int64_t own_chunk) {
  const std::int64_t now_ns = parts_.clock.now_ns();
  const std::int64_t begin = lead_in_begin(now_ns);
  state.origin_chunk = begin - own_chunk;
  parts_.audio.open(place, state);
  play_from_past(place, state, now_ns);
  log_info("station plays", {in_log(place, state),
                             {"personal", state.personal != 0},
                             {"seed", std::to_string(state.seed)},
                             {"chunk", begin}});
}

// The first chunk that a ring which is empty is filled with.
std::int64_t SynthLoop::lead_in_begin(std::int64_t now_ns) const {
  return std::max<std::int64_t>(0, timeline().chunk_at(now_ns) - kLeadInNs / timeline().chunk_ns());
}

void SynthLoop::play_from_past(std::size_t place, const StationState& state, std::int64_t now_ns) {
  open(place, state, lead_in_begin(now_ns) - 1);
  places_[place]->lead_in = timeline().chunk_at(now_ns);
}

// If another process cut the segment short, its chunks are rendered again: they are the same.
void SynthLoop::run_housekeeping(std::int64_t now_ns) {
  if (now_ns < next_house_ns_) return;
  next_house_ns_ = now_ns + kHouseNs;
  if (!parts_.audio.run_housekeeping(now_ns)) return;
  for (std::size_t place = 0; place < places_.size(); ++place) {
    if (places_[place]) play_from_past(place, StationState(places_[place]->state), now_ns);
  }
}

void SynthLoop::remove(std::size_t place) {
  log_info("station ends", {in_log(place, places_[place]->state)});
  places_[place].reset();
  parts_.audio.close(place);
}

std::int64_t SynthLoop::step() {
  const std::int64_t now_ns = parts_.clock.now_ns();
  last_step_ns_.store(now_ns, std::memory_order_relaxed);
  parts_.audio.beat(now_ns);
  parts_.metrics_writer.beat(now_ns);
  run_housekeeping(now_ns);
  if (reconfigured_.exchange(false)) {
    MutexLock lock(mutex_);
    configured_ = std::move(coming_);
    lock.unlock();
    apply();
  }
  poll_control(now_ns);

  due_.clear();
  for (std::size_t place = 0; place < places_.size(); ++place) {
    if (!places_[place]) continue;
    skip_missed(place, now_ns);
    const std::int64_t newest = places_[place]->newest;
    if (timeline().depth_ns(newest, now_ns) < target_depth_ns_) due_.push_back(place);
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
      std::fill(control_versions_.begin(), control_versions_.end(), 0);
      control_version_ = 0;
    }
  }
  const std::uint64_t version = parts_.control.version();
  if (version == control_version_ && !requests_wait_) return;
  control_version_ = version;
  requests_wait_ = false;
  for (std::size_t place = 0; place < places_.size(); ++place) {
    const std::uint64_t slot_version = parts_.control.version(place);
    if (slot_version == control_versions_[place]) continue;
    const auto request = parts_.control.request(place);
    if (request && !obey(place, *request)) {
      requests_wait_ = true;
    } else {
      control_versions_[place] = slot_version;
    }
  }
}

// False: not yet. Requests for a station that is gone, or not there yet, are nobody's.
bool SynthLoop::obey(std::size_t place, const ControlRequest& request) {
  const bool here = places_[place] && parts_.audio.generation(place) == request.generation;
  switch (request.action) {
    case ControlAction::kChange:
      return !here || change(place, request);
    case ControlAction::kOpen:
      if (!places_[place] && parts_.audio.generation(place) + 1 == request.generation)
        open_personal(place, request);
      return true;
    case ControlAction::kClose:
      if (here && places_[place]->state.personal != 0) {
        remove(place);
        if (lacks_place_) apply();
      }
      return true;
  }
  return true;
}

bool SynthLoop::change(std::size_t place, const ControlRequest& request) {
  StationSlot& playing = *places_[place];
  if (request.number <= playing.state.applied_request) return true;
  const std::int64_t chunk = playing.next_own();
  if (!playing.station.takes_change(chunk)) return false;
  playing.station.change(request.history.changes[0].parameters, chunk);
  playing.state.history = playing.station.history();
  playing.state.applied_request = request.number;
  // Before the chunk: whoever takes over in between renders it alike.
  parts_.audio.store_state(place, playing.state);
  log_info("controls applied", {in_log(place, playing.state),
                                {"request", static_cast<std::int64_t>(request.number)},
                                {"chunk", playing.newest + 1}});
  return true;
}

void SynthLoop::open_personal(std::size_t place, const ControlRequest& request) {
  StationState state = named_state(request.station);
  state.seed = request.seed;
  state.applied_request = request.number;
  state.personal = 1;
  state.open = 1;
  state.history = widened(request.history);
  add(place, state, request.chunk);
}

// A ring that ran dry goes on where the music would be now: nobody could play what was missed.
void SynthLoop::skip_missed(std::size_t place, std::int64_t now_ns) {
  StationSlot& playing = *places_[place];
  const std::int64_t live = timeline().chunk_at(now_ns);
  const bool leads_in = playing.newest < playing.lead_in && live <= playing.lead_in + 1;
  if (playing.newest + 1 >= live || leads_in) return;
  const std::int64_t skipped = live - playing.newest;
  playing.newest = live;
  playing.metrics->skipped.add(static_cast<double>(skipped));
  if (now_ns < skip_log_ns_) return;
  skip_log_ns_ = now_ns + kSkipLogPeriodNs;
  log_warning("came too late and skipped chunks",
              {in_log(place, playing.state), {"skipped", skipped}, {"next_chunk", live + 1}});
}

void SynthLoop::render_due() {
  const auto stands_ready = [this](std::size_t place) { return !warm_up_chunk(place); };
  // Configured stations before personal ones.
  const auto is_configured = [this](std::size_t place) { return places_[place]->state.personal == 0; };
  std::stable_partition(due_.begin(), due_.end(), is_configured);
  const auto behind = std::stable_partition(due_.begin(), due_.end(), stands_ready);
  const std::vector<std::size_t>::difference_type ready = behind - due_.begin();
  try {
    if (ready > 0) render_ready(static_cast<std::size_t>(ready));
    if (behind != due_.end()) warm_up(static_cast<std::size_t>(ready));
  } catch (const EngineReplaced&) {  // the new one is to be brought up first
    parts_.metrics.failovers.add();
  }
}

// The first `count` of those that are due.
void SynthLoop::render_ready(std::size_t count) {
  const std::int64_t begin_ns = parts_.clock.now_ns();
  batch_.clear();
  for (std::size_t d = 0; d < count; ++d) {
    StationSlot& playing = *places_[due_[d]];
    batch_.push_back(playing.station.prepare(playing.next_own()));
    batch_.back().slot = due_[d];
  }
  const RenderReport report = parts_.engine.render(batch_.data(), batch_.size());
  for (std::size_t d = 0; d < count; ++d) {
    StationSlot& playing = *places_[due_[d]];
    parts_.audio.write_chunk(due_[d], playing.newest + 1, parts_.engine.samples(d));
    ++playing.newest;
    playing.metrics->published.add();
  }
  const auto took_ns = static_cast<double>(parts_.clock.now_ns() - begin_ns);
  parts_.metrics.synthesis_ms.observe(took_ns / kNsPerMs);
  parts_.metrics.device_busy_seconds.add(static_cast<double>(report.device_busy_ns) / kNsPerSecond);
  parts_.metrics.voices_dropped.add(static_cast<double>(report.voices_dropped));
}

// Renders, to be heard by nobody, what still rings in the reverb of those due stations, from `first` on,
// whose engine does not stand where they go on: after a start, a gap, or the loss of a device. Some of it in
// each step, so that the stations that play do not wait for it; the engine keeps how far it came.
void SynthLoop::warm_up(std::size_t first) {
  const std::int64_t begin_ns = parts_.clock.now_ns();
  std::size_t end = std::min(due_.size(), first + kWarmUpBatch);
  while (first < due_.size() && parts_.clock.now_ns() - begin_ns < kWarmUpNs) {
    batch_.clear();
    for (std::size_t d = first; d < end; ++d) {
      StationSlot& playing = *places_[due_[d]];
      batch_.push_back(playing.station.prepare(*warm_up_chunk(due_[d])));
      batch_.back().slot = due_[d];
    }
    parts_.engine.render(batch_.data(), batch_.size());
    const auto stands = [this](std::size_t place) { return !warm_up_chunk(place); };
    const auto begin = due_.begin();
    using Offset = std::vector<std::size_t>::difference_type;
    const auto still =
        std::stable_partition(begin + static_cast<Offset>(first), begin + static_cast<Offset>(end), stands);
    first = static_cast<std::size_t>(still - begin);
    end = std::min(due_.size(), first + kWarmUpBatch);
  }
}

// The chunk to bring a station up with: the one where the engine stands, if all that is heard of the past was
// rendered up to there; else the first that is heard. Nothing where the station can play on.
std::optional<std::int64_t> SynthLoop::warm_up_chunk(std::size_t place) const {
  const StationSlot& playing = *places_[place];
  const std::int64_t next = playing.next_own();
  const std::int64_t from = playing.station.reverb_chunk(next);
  const std::int64_t stands = parts_.engine.next_frame(place);
  if (from == next || stands == timeline().first_frame(next)) return std::nullopt;
  const bool goes_on = stands >= timeline().first_frame(from) && stands < timeline().first_frame(next);
  return goes_on ? stands / timeline().chunk_frames : from;
}

std::int64_t SynthLoop::next_step(std::int64_t now_ns) const {
  std::int64_t next_ns = now_ns + kLongestWaitNs;
  for (const auto& playing : places_) {
    if (!playing) continue;
    // One more: from then on the depth is below the target.
    const std::int64_t due_ns = timeline().due_ns(playing->newest + 1) - target_depth_ns_ + 1;
    next_ns = std::min(next_ns, due_ns);
  }
  return std::max(next_ns, now_ns);
}

void SynthLoop::run(const std::function<void()>& on_filled) {
  bool told = false;
  MutexLock lock(mutex_);
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
    while (!stopping_ && lock.wait_until(wake_, wake)) continue;
  }
}

void SynthLoop::reconfigure(std::vector<StationConfig> stations) {
  const MutexLock lock(mutex_);
  coming_ = std::move(stations);
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
