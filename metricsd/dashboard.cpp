// SPDX-License-Identifier: MIT
#include "metricsd/dashboard.h"

namespace auralis {

Dashboard::Dashboard(const Config& config, const Clock& clock)
    : clock_(clock),
      begun_unix_ns_(clock.unix_ns()),
      player_{config.streamd.port, !config.streamd.tls_certificate.empty()},
      chunk_ns_(config.audio.chunk_ms * kNsPerMs),
      links_(config.daemon_dir(Daemon::kSynthd)) {}

std::string Dashboard::add(const Snapshot& snapshot, const std::vector<DaemonEvent>& daemons) {
  const MutexLock lock(mutex_);
  history_.add(clock_.now_ns(), snapshot.unix_ns, snapshot.families);
  conditions_.evaluate(history_);
  events_.note(history_, conditions_, daemons);
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

std::string Dashboard::json_from(std::uint64_t first) const {
  return dashboard_json({begun_unix_ns_, history_, conditions_, events_, daemons_, player_, chunk_ns_},
                        first);
}

}  // namespace auralis
