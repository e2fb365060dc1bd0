// SPDX-License-Identifier: MIT
#include "common/daemon/healthcheck.h"

#include "common/metrics/metrics_segment.h"
#include "common/segments/audio_segment.h"
#include "common/segments/control_segment.h"

namespace auralis {

DaemonHealth::DaemonHealth(const Config& config, Daemon daemon) : name_(daemon_name(daemon)) {
  const std::filesystem::path folder = config.daemon_dir(daemon);
  segments_.emplace_back(folder / "metrics", SegmentKind::kMetrics, kMetricsLayoutVersion);
  if (daemon == Daemon::kSynthd)
    segments_.emplace_back(folder / "audio", SegmentKind::kAudio, kAudioLayoutVersion);
  if (daemon == Daemon::kStreamd)
    segments_.emplace_back(folder / "control", SegmentKind::kControl, kControlLayoutVersion);
}

std::optional<std::string> DaemonHealth::problem(std::int64_t now_ns) {
  for (SegmentReader& segment : segments_) {
    segment.refresh();
    if (segment.state() != SegmentState::kReady) return name_ + " is not healthy: " + segment.describe();
    if (!segment.writer_alive()) return name_ + " is not running";
    if (!segment.under_its_name())
      return name_ + " is not healthy: " + segment.path().string() + " was removed, replaced or overwritten";
    if (!segment.writer_healthy(now_ns)) return name_ + " hangs: its heartbeat has stopped";
  }
  return std::nullopt;
}

namespace {

// Whether the chunk due now is in the ring of at least one station.
bool audio_flows(const std::filesystem::path& folder, std::int64_t now_ns) {
  AudioReader reader(folder);
  reader.refresh();
  if (!reader.ready()) return false;
  const std::int64_t due = reader.timeline().chunk_at(now_ns);
  for (std::size_t index = 0; index < reader.capacity(); ++index) {
    if (reader.newest({index, reader.generation(index)}).value_or(-1) >= due) return true;
  }
  return false;
}

}  // namespace

int healthcheck(const Config& config, Daemon daemon, std::int64_t now_ns, std::ostream& out) {
  auto problem = DaemonHealth(config, daemon).problem(now_ns);
  if (!problem && daemon == Daemon::kSynthd && !audio_flows(config.daemon_dir(daemon), now_ns))
    problem = "synthd is not healthy: no station's ring holds the current chunk";
  out << problem.value_or(std::string(daemon_name(daemon)) + " is healthy") << '\n';
  return problem ? 1 : 0;
}

}  // namespace auralis
