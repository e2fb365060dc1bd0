// SPDX-License-Identifier: MIT
#include "synthd/synth_loop.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "common/log.h"
#include "synthd/engine/failover_engine.h"

namespace auralis {
namespace {

constexpr std::int64_t kFirstChunkLeadNs =
    200 * kNsPerMs;  // time to render the first chunk of a fresh segment
constexpr std::int64_t kControlRefreshNs = 250 * kNsPerMs;  // a stat of the control segment's file
// What a station that comes renders of the past; some of it is what streamd sends a new listener at once.
constexpr std::int64_t kLeadInNs = 300 * kNsPerMs;
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

SynthLoop::SynthLoop(const SynthParts& parts, const std::vector<StationConfig>& stations,
                     std::int64_t target_depth_ns)
    : parts_(parts),
      labels_(parts.metrics_writer),
      target_depth_ns_(target_depth_ns),
      places_(parts.audio.places()),
      control_versions_(parts.audio.places(), 0),
      last_step_ns_(parts.clock.now_ns()) {
  due_.reserve(places_.size());
  recall_counts_.reserve(places_.size());
  batch_.reserve(places_.size());
  find_former();
  adopt(stations);
  parts_.metrics.device_memory_mb.set(static_cast<double>(parts_.engine.device_bytes()) / (1 << 20));
  parts_.audio.publish(last_step_ns_);
}

// What a former synthd left goes on.
void SynthLoop::find_former() {
  if (!parts_.audio.taken_over()) return;
  // Of a station without chunks, which its synthd did not live to render.
  const std::int64_t live = std::max<std::int64_t>(-1, parts_.audio.timeline().chunk_at(last_step_ns_));
  for (std::size_t place = 0; place < places_.size(); ++place) {
    const auto state = parts_.audio.state(place);
    if (!state) continue;
    enter(place, *state, parts_.audio.newest(place).value_or(live));
    log_info("going on with a former synthd's music",
             {{"station", std::string(state->name)}, {"chunk", places_[place]->newest + 1}});
  }
}

// Makes the configured stations these.
void SynthLoop::adopt(const std::vector<StationConfig>& stations) {
  std::vector<std::string_view> names;
  for (const StationConfig& station : stations) {
    const auto place = place_of(station.name);
    // Another seed is another music.
    if (place && places_[*place]->state.seed == station.seed) names.emplace_back(station.name);
  }
  for (std::size_t place = 0; place < places_.size(); ++place) {
    if (!places_[place] || places_[place]->state.personal != 0) continue;
    if (std::find(names.begin(), names.end(), places_[place]->state.name) == names.end()) leave(place);
  }
  labels_.keep(names);
  for (const StationConfig& station : stations) {
    const std::uint32_t open = station.open ? 1 : 0;
    if (const auto place = place_of(station.name)) {
      Playing& playing = *places_[*place];
      if (std::exchange(playing.state.open, open) != open) parts_.audio.store_state(*place, playing.state);
      continue;
    }
    StationState state = named_state(station.name);
    state.seed = station.seed;
    state.open = open;
    state.history = begun_with(station.parameters);
    if (const auto place = free_place()) {
      come(*place, state, 0);
    } else {
      log_error("no place for a configured station: personal ones have them all; restart synthd to play it",
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

void SynthLoop::enter(std::size_t place, const StationState& state, std::int64_t newest) {
  SynthMetrics::StationMetrics* metrics = &parts_.metrics.personal;
  if (state.personal == 0) {
    if (const auto label = labels_.label_of(state.name)) metrics = &parts_.metrics.configured.at(*label);
  }
  places_[place].emplace(
      Playing{state, Station(state.seed, parts_.audio.timeline(), state.history), newest, newest, metrics});
  parts_.engine.forget(place);
}

// A station that was not there before; it begins with its `own_chunk`, and a little in the past, so that its
// first listener is sent sound at once.
void SynthLoop::come(std::size_t place, StationState state, std::int64_t own_chunk) {
  const Timeline& timeline = parts_.audio.timeline();
  const std::int64_t playing = timeline.chunk_at(parts_.clock.now_ns());
  const std::int64_t begin = std::max<std::int64_t>(0, playing - kLeadInNs / timeline.chunk_ns());
  state.origin_chunk = begin - own_chunk;
  parts_.audio.open(place, state);
  enter(place, state, begin - 1);
  places_[place]->lead_in = playing;
  log_info("station plays", {{"station", std::string(state.name)},
                             {"personal", state.personal != 0},
                             {"seed", static_cast<std::int64_t>(state.seed)},
                             {"chunk", begin}});
}

void SynthLoop::leave(std::size_t place) {
  log_info("station ends", {{"station", std::string(places_[place]->state.name)}});
  places_[place].reset();
  parts_.audio.close(place);
}

std::int64_t SynthLoop::step() {
  const std::int64_t now_ns = parts_.clock.now_ns();
  last_step_ns_.store(now_ns, std::memory_order_relaxed);
  parts_.audio.beat(now_ns);
  parts_.metrics_writer.beat(now_ns);
  if (reconfigured_.exchange(false)) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto stations = std::exchange(coming_, std::nullopt);
    lock.unlock();
    if (stations) adopt(*stations);
  }
  poll_control(now_ns);

  due_.clear();
  for (std::size_t place = 0; place < places_.size(); ++place) {
    if (!places_[place]) continue;
    skip_missed(*places_[place], now_ns);
    const std::int64_t newest = places_[place]->newest;
    if (parts_.audio.timeline().depth_ns(newest, now_ns) < target_depth_ns_) due_.push_back(place);
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
  const bool here = places_[place] && parts_.audio.tenancy(place) == request.tenancy;
  switch (request.action) {
    case ControlAction::kChange:
      return !here || change(place, request);
    case ControlAction::kOpen:
      if (!places_[place] && parts_.audio.tenancy(place) + 1 == request.tenancy)
        open_personal(place, request);
      return true;
    case ControlAction::kClose:
      if (here && places_[place]->state.personal != 0) leave(place);
      return true;
  }
  return true;
}

bool SynthLoop::change(std::size_t place, const ControlRequest& request) {
  Playing& playing = *places_[place];
  if (request.number <= playing.state.applied_request) return true;
  const std::int64_t chunk = playing.next_own();
  if (!playing.station.takes_change(chunk)) return false;
  playing.station.change(request.history.changes[0].parameters, chunk);
  playing.state.history = playing.station.history();
  playing.state.applied_request = request.number;
  // Before the chunk: whoever takes over in between renders it alike.
  parts_.audio.store_state(place, playing.state);
  log_info("controls applied", {{"station", std::string(playing.state.name)},
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
  come(place, state, request.chunk);
}

// A ring that ran dry goes on where the music would be now: nobody could play what was missed.
void SynthLoop::skip_missed(Playing& playing, std::int64_t now_ns) {
  const std::int64_t live = parts_.audio.timeline().chunk_at(now_ns);
  if (playing.newest + 1 >= live || playing.newest < playing.lead_in) return;
  const std::int64_t skipped = live - playing.newest;
  playing.newest = live;
  playing.metrics->skipped.add(static_cast<double>(skipped));
  if (now_ns < skip_log_ns_) return;
  skip_log_ns_ = now_ns + kSkipLogPeriodNs;
  log_warning("came too late and skipped chunks",
              {{"station", std::string(playing.state.name)}, {"skipped", skipped}, {"next_chunk", live + 1}});
}

void SynthLoop::render_due() {
  const std::int64_t begin_ns = parts_.clock.now_ns();
  const RenderReport report = render_batch();
  for (std::size_t b = 0; b < due_.size(); ++b) {
    Playing& playing = *places_[due_[b]];
    parts_.audio.write_chunk(due_[b], playing.newest + 1, parts_.engine.samples(b));
    ++playing.newest;
    playing.metrics->published.add();
  }
  const auto took_ns = static_cast<double>(parts_.clock.now_ns() - begin_ns);
  parts_.metrics.synthesis_ms.observe(took_ns / kNsPerMs);
  parts_.metrics.device_busy_seconds.add(static_cast<double>(report.device_busy_ns) / kNsPerSecond);
  parts_.metrics.voices_dropped.add(static_cast<double>(report.voices_dropped));
}

RenderReport SynthLoop::render_batch() {
  const auto render = [this] {
    bring_up();
    recall_counts_.assign(due_.size(), 0);
    prepare_due(0);
    return parts_.engine.render(batch_.data(), batch_.size());
  };
  try {
    return render();
  } catch (const EngineReplaced&) {  // also while it was brought up; the new one needs all of that again
    parts_.metrics.failovers.add();
    return render();
  }
}

// Makes batch_ the chunks that lie `back` before those that are due, of the stations that recall so many.
void SynthLoop::prepare_due(std::int64_t back) {
  batch_.clear();
  for (std::size_t d = 0; d < due_.size(); ++d) {
    if (recall_counts_[d] < back) continue;
    Playing& playing = *places_[due_[d]];
    batch_.push_back(playing.station.prepare(playing.next_own() - back));
    batch_.back().slot = due_[d];
  }
}

// Renders, to be heard by nobody, the chunks that still ring in the reverb of those due stations whose engine
// does not stand where they go on: after a start, a gap, or the loss of a device.
void SynthLoop::bring_up() {
  std::int64_t most = 0;
  recall_counts_.clear();
  for (const std::size_t place : due_) {
    const Playing& playing = *places_[place];
    const std::int64_t chunk = playing.next_own();
    const bool stands_there = parts_.engine.next_frame(place) == parts_.audio.timeline().first_frame(chunk);
    recall_counts_.push_back(stands_there ? 0 : chunk - playing.station.reverb_chunk(chunk));
    most = std::max(most, recall_counts_.back());
  }
  for (std::int64_t back = most; back > 0; --back) {
    prepare_due(back);
    parts_.engine.render(batch_.data(), batch_.size());
  }
}

std::int64_t SynthLoop::next_step(std::int64_t now_ns) const {
  std::int64_t next_ns = now_ns + kLongestWaitNs;
  for (const auto& playing : places_) {
    if (!playing) continue;
    // One more: from then on the depth is below the target.
    const std::int64_t due_ns = parts_.audio.timeline().due_ns(playing->newest + 1) - target_depth_ns_ + 1;
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

void SynthLoop::reconfigure(std::vector<StationConfig> stations) {
  const std::lock_guard<std::mutex> lock(mutex_);
  coming_ = std::move(stations);
  reconfigured_ = true;
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
