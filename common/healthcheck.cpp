// SPDX-License-Identifier: MIT
#include "common/healthcheck.h"

#include "common/metrics_segment.h"

namespace auralis {

int healthcheck(const Config& config, Daemon daemon, std::int64_t now_ns, std::ostream& out) {
  MetricsReader reader(config.daemon_dir(daemon));
  reader.refresh();
  const auto name = daemon_name(daemon);
  if (!reader.ready()) {
    out << name << " is not healthy: " << reader.describe() << '\n';
    return 1;
  }
  if (!reader.segment().writer_healthy(now_ns)) {
    out << name
        << (reader.segment().writer_alive() ? " hangs: its heartbeat stands still\n" : " is not running\n");
    return 1;
  }
  out << name << " is healthy\n";
  return 0;
}

}  // namespace auralis
