// SPDX-License-Identifier: MIT
// Follows the daemons through shared memory, read-only, a sample a second, with metricsd's own parts: so its
// numbers are those of /metrics, also while metricsd does not run.
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/daemon/healthcheck.h"
#include "metricsd/conditions.h"
#include "metricsd/history.h"
#include "metricsd/snapshot.h"
#include "tools/top/view.h"

namespace auralis {

// One thread.
class Monitor {
 public:
  // `clock` must outlive it; `proc` replaces /proc in a test.
  Monitor(const Config& config, const Clock& clock, const std::filesystem::path& proc = "/proc");

  // Adds a sample; about once a second.
  void sample();

  // Of the samples of the last `span_ns`. After the first sample().
  View view(std::int64_t span_ns) const;

  // All metrics at the last sample, without those that metricsd has of itself. After the first sample().
  const Snapshot& snapshot() const { return snapshot_; }

 private:
  // synthd or streamd.
  struct Watched {
    Daemon daemon;
    DaemonHealth health;
    SegmentReader metrics;  // whose writer it is
  };

  static DaemonView look_at(Watched& watched, std::int64_t now_ns);
  DaemonView look_at_metricsd() const;

  const Clock& clock_;
  Config config_;
  SnapshotSource source_;
  History history_;
  Conditions conditions_;
  std::vector<Watched> watched_;
  std::vector<DaemonView> daemons_;
  Snapshot snapshot_;
};

}  // namespace auralis
