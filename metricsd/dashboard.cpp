// SPDX-License-Identifier: MIT
#include "metricsd/dashboard.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace auralis {

Dashboard::Dashboard(const Config& config, const Clock& clock, std::string run_id)
    : clock_(clock),
      run_id_(std::move(run_id)),
      player_{config.streamd.port, !config.streamd.tls_certificate.empty()},
      chunk_ns_(config.audio.chunk_ms * kNsPerMs),
      links_(config.daemon_dir(Daemon::kSynthd)) {}

std::string Dashboard::add(const Snapshot& snapshot, const std::vector<DaemonEvent>& daemons) {
  const MutexLock lock(mutex_);
  history_.add(clock_.now_ns(), snapshot.unix_ns, snapshot.families);
  conditions_.evaluate(history_);
  events_.note(history_, conditions_, daemons, snapshot.families);
  exemplars_.note(history_, snapshot.families);
  for (std::size_t index = 0; index < daemons_.size(); ++index) {
    DaemonState& state = daemons_.at(index);
    if (state.since_unix_ns != 0 && state.up == snapshot.up.at(index)) continue;
    state.up = snapshot.up.at(index);
    state.since_unix_ns = snapshot.unix_ns;
  }
  for (const auto& event : daemons) daemons_.at(daemon_index(event.daemon)).message = event.message;
  return json_from(history_.newest());
}

std::string Dashboard::whole() const {
  const MutexLock lock(mutex_);
  return json_from(history_.oldest());
}

std::vector<LoggedEvent> Dashboard::newest_events() const {
  const MutexLock lock(mutex_);
  const std::uint64_t point = history_.newest();
  std::vector<LoggedEvent> newest;
  std::copy_if(events_.events().begin(), events_.events().end(), std::back_inserter(newest),
               [point](const LoggedEvent& event) { return event.point == point; });
  return newest;
}

std::vector<Exemplar> Dashboard::exemplars() const {
  const MutexLock lock(mutex_);
  return exemplars_.all();
}

std::vector<LoggedEvent> Dashboard::last_events(std::size_t count) const {
  const MutexLock lock(mutex_);
  const auto& events = events_.events();
  return {events.end() - static_cast<std::ptrdiff_t>(std::min(count, events.size())), events.end()};
}

std::string Dashboard::json_from(std::uint64_t first) const {
  return dashboard_json({run_id_, history_, conditions_, events_, daemons_, player_, chunk_ns_}, first);
}

}  // namespace auralis
