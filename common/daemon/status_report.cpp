// SPDX-License-Identifier: MIT
#include "common/daemon/status_report.h"

#include <algorithm>
#include <cmath>

namespace auralis {
namespace {

constexpr std::int64_t kHourNs = 3'600 * kNsPerSecond;

std::string counted(double count, const std::string& thing) {
  const auto number = static_cast<std::int64_t>(std::llround(count));
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

double sum_of(const std::vector<MetricSample>& samples, std::string_view metric) {
  double sum = 0;
  for (const MetricSample& sample : samples) {
    if (sample.spec.name == metric) sum += sample.value;
  }
  return sum;
}

}  // namespace

StatusReport::StatusReport(const Config& config, Daemon daemon, const Clock& clock)
    : clock_(clock),
      daemon_(daemon),
      audio_(config.daemon_dir(Daemon::kSynthd)),
      metrics_(config.daemon_dir(daemon)) {
  if (daemon != Daemon::kMetricsd) return;
  for (const Daemon peer : {Daemon::kSynthd, Daemon::kStreamd})
    peers_.emplace_back(peer, DaemonHealth(config, peer));
}

std::string StatusReport::text() { return peers_.empty() ? of_stations() : of_health(); }

std::string StatusReport::of_health() {
  std::string text;
  for (auto& [daemon, health] : peers_) {
    text.append(text.empty() ? "" : ", ");
    text.append(health.problem(clock_.now_ns()).value_or(std::string(daemon_name(daemon)) + " healthy"));
  }
  return text;
}

std::string StatusReport::of_stations() {
  audio_.refresh();
  metrics_.refresh();
  if (!audio_.ready() || !audio_.segment().writer_alive()) return "waiting for synthd";
  std::vector<MetricSample> samples;
  metrics_.read(samples);
  if (samples.empty()) return last_;  // a thread stands still within an update
  std::int64_t stations = 0;
  std::optional<std::int64_t> depth_ns;
  for (std::size_t row = 0; row < audio_.capacity(); ++row) {
    const StationId station{row, audio_.generation(row)};
    const auto newest = audio_.newest(station);
    if (!newest || !audio_.state(station)) continue;
    ++stations;
    const std::int64_t own_ns = audio_.timeline().depth_ns(*newest, clock_.now_ns());
    depth_ns = std::min(depth_ns.value_or(own_ns), own_ns);
  }
  std::string text = counted(static_cast<double>(stations), "station");
  const bool streams = daemon_ == Daemon::kStreamd;
  if (streams) text += ", " + counted(sum_of(samples, "websocket_active_connections"), "listener");
  if (depth_ns) text += ", depth " + std::to_string(*depth_ns / kNsPerMs) + " ms";
  const double lost =
      sum_of(samples, streams ? "ring_buffer_underruns_total" : "auralis_chunks_skipped_total");
  const double lately = in_last_hour(lost);
  return last_ = text + ", " +
                 (streams ? counted(lately, "underrun") + "/h" : counted(lately, "chunk") + " skipped/h");
}

double StatusReport::in_last_hour(double total) {
  const std::int64_t now_ns = clock_.now_ns();
  if (!counts_.empty() && total < counts_.back().total) counts_.clear();  // a label was given to another
  counts_.push_back({now_ns, total});
  while (now_ns - counts_.front().at_ns > kHourNs) counts_.pop_front();
  return total - counts_.front().total;
}

}  // namespace auralis
