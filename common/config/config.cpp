// SPDX-License-Identifier: MIT
#include "common/config/config.h"

namespace auralis {

std::string_view daemon_name(Daemon daemon) {
  switch (daemon) {
    case Daemon::kSynthd:
      return "synthd";
    case Daemon::kStreamd:
      return "streamd";
    case Daemon::kMetricsd:
      return "metricsd";
  }
  return {};
}

bool operator==(const StationConfig& a, const StationConfig& b) {
  return a.name == b.name && a.seed == b.seed && a.parameters == b.parameters && a.open == b.open;
}

std::filesystem::path Config::daemon_dir(Daemon daemon) const {
  return std::filesystem::path(runtime.dir) / daemon_name(daemon);
}

std::filesystem::path Config::probe_dir() const { return std::filesystem::path(runtime.dir) / "probe"; }

}  // namespace auralis
