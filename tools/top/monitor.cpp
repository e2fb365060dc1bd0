// SPDX-License-Identifier: MIT
#include "tools/top/monitor.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/metrics/metrics_segment.h"
#include "tools/connection.h"

namespace auralis {
namespace {

constexpr std::int64_t kConnectLimitNs = 200 * kNsPerMs;

// Of this process, which stands in for metricsd.
bool is_readers_own(const MetricSample& sample) {
  constexpr std::array<std::string_view, 2> kNames{"auralis_scrapes_total",
                                                   "auralis_snapshots_published_total"};
  if (std::find(kNames.begin(), kNames.end(), sample.spec.name) != kNames.end()) return true;
  return label_value(sample.spec.labels, "process") == daemon_name(Daemon::kMetricsd);
}

Snapshot without_readers_own(Snapshot snapshot) {
  for (auto& family : snapshot.families) {
    auto& samples = family.samples;
    samples.erase(std::remove_if(samples.begin(), samples.end(), is_readers_own), samples.end());
  }
  auto& families = snapshot.families;
  families.erase(std::remove_if(families.begin(), families.end(),
                                [](const SnapshotFamily& family) { return family.samples.empty(); }),
                 families.end());
  return snapshot;
}

std::string in_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

Monitor::Monitor(const Config& config, const Clock& clock, const std::filesystem::path& proc)
    : clock_(clock), config_(config), source_(config, clock, proc) {
  for (const Daemon daemon : {Daemon::kSynthd, Daemon::kStreamd}) {
    watched_.push_back(
        {daemon, DaemonHealth(config, daemon),
         SegmentReader(config.daemon_dir(daemon) / "metrics", SegmentKind::kMetrics, kMetricsLayoutVersion)});
  }
}

void Monitor::sample() {
  source_.measure();
  source_.sample();
  snapshot_ = without_readers_own(source_.take());
  const std::int64_t now_ns = clock_.now_ns();
  history_.add(now_ns, snapshot_.unix_ns, snapshot_.families);
  conditions_.evaluate(history_);
  daemons_.clear();
  for (Watched& watched : watched_) daemons_.push_back(look_at(watched, now_ns));
  daemons_.push_back(look_at_metricsd());
}

View Monitor::view(std::int64_t span_ns) const {
  return view_of(daemons_, snapshot_, history_, conditions_, span_ns);
}

DaemonView Monitor::look_at(Watched& watched, std::int64_t now_ns) {
  DaemonView view;
  view.daemon = watched.daemon;
  view.problem = watched.health.problem(now_ns).value_or("");
  const SegmentReader& metrics = watched.metrics;
  watched.metrics.refresh();
  if (view.problem.empty()) {
    view.status = DaemonStatus::kUp;
  } else if (metrics.state() == SegmentState::kReady && metrics.writer_alive()) {
    view.status = metrics.writer_healthy(now_ns) ? DaemonStatus::kUnreadable : DaemonStatus::kHung;
  } else if (metrics.state() == SegmentState::kReady || metrics.state() == SegmentState::kMissing) {
    view.status = DaemonStatus::kDown;
  } else {
    view.status = DaemonStatus::kUnreadable;
  }
  return view;
}

// It has no shared memory: whether its port takes a connection is all that can be told.
DaemonView Monitor::look_at_metricsd() const {
  DaemonView view;
  view.daemon = Daemon::kMetricsd;
  const std::string address =
      in_brackets(config_.metricsd.host) + ":" + std::to_string(config_.metricsd.port);
  try {
    const Connection connection(parse_stream_url("http://" + address),
                                SystemClock().now_ns() + kConnectLimitNs);
    view.status = DaemonStatus::kUp;
  } catch (const std::exception& error) {
    view.status = DaemonStatus::kDown;
    view.problem = std::string("metricsd does not listen at ") + error.what();
  }
  return view;
}

}  // namespace auralis
