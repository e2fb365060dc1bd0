// SPDX-License-Identifier: MIT
// All metrics of all daemons at one moment, for /metrics and ZeroMQ.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/config/config.h"
#include "common/daemon/healthcheck.h"
#include "common/metrics/metrics.h"
#include "common/metrics/metrics_segment.h"
#include "metricsd/absence.h"
#include "metricsd/derived_metrics.h"
#include "metricsd/gpu_sampler.h"
#include "metricsd/hang_losses.h"
#include "metricsd/metric_guard.h"
#include "metricsd/own_metrics_memory.h"
#include "metricsd/probe_results.h"
#include "metricsd/ring_depths.h"
#include "metricsd/ring_meters.h"
#include "metricsd/station_rings.h"
#include "metricsd/system_sampler.h"

namespace auralis {

// All series of one name, of all daemons.
struct SnapshotFamily {
  std::string name;
  std::string help;
  MetricType type = MetricType::kCounter;
  std::vector<MetricSample> samples;  // of that type, label sets all different, every number finite
};

struct Snapshot {
  std::int64_t unix_ns = 0;              // wall time
  std::array<bool, 3> up{};              // by daemon_index()
  std::vector<SnapshotFamily> families;  // names all different and well-formed
};

// kHang: it lives, but is not healthy.
enum class DaemonChange { kUp, kDown, kHang };

struct DaemonEvent {
  Daemon daemon;
  DaemonChange change;
  std::string message;  // a sentence for people
};

// Groups samples into families. Leaves out what would invalidate the whole exposition: malformed names,
// values that are not finite, duplicate series, types other than the family's.
std::vector<SnapshotFamily> families_of(std::vector<MetricSample> samples);

// A histogram's counts of values not above each bound; the last is the total.
std::vector<double> cumulative_buckets(const MetricSample& sample);

// Reads the segments of the other daemons and keeps metricsd's own metrics. Any thread: one mutex, never
// taken by the audio path. A healthy daemon contributes what MetricGuard does not withhold; one that hangs
// its counters and histograms, and `auralis_up` 0; others only that. Results of auralis-probe are shown
// whatever has become of it.
class SnapshotSource {
 public:
  // `clock` must outlive it; `proc` replaces /proc in a test.
  SnapshotSource(const Config& config, const Clock& clock, const std::filesystem::path& proc = "/proc",
                 GpuSources gpus = {});

  // Measures the audio that was published since the last call. Several times a second, by the thread of
  // sample().
  void measure();

  // Advances the sliding windows and the metrics of the process itself. About each second, by one thread.
  // Returns, and logs, which daemons changed since the last call.
  std::vector<DaemonEvent> sample();

  // The current metrics, for the thread of sample(), after it: reads the segments.
  Snapshot take();

  // As take(), at any moment, even the first one after this process was stopped.
  Snapshot view();

  // As view(), for a response to GET /metrics, which `serialize` makes: counts it, and measures the time.
  std::string scrape(const std::function<std::string(const Snapshot&)>& serialize);
  void count_published();

  // Notes that metricsd's configuration was loaded again, or refused.
  void note_reload(bool successful);

 private:
  struct Peer {
    Peer(const Config& config, Daemon d)
        : daemon(d),
          directory(config.daemon_dir(d)),
          reader(std::make_unique<MetricsReader>(directory)),
          health(config, d) {}

    Daemon daemon;
    std::filesystem::path directory;
    std::unique_ptr<MetricsReader> reader;
    DaemonHealth health;  // of all its segments
    MetricGuard guard;
    bool up = false;            // at the last look
    bool withheld = false;      // some of its samples, at the last read
    std::int64_t sound_ns = 0;  // last time that not all were withheld
    std::string trouble;        // why it is not healthy, though its metrics are written
    std::string last_said;      // last logged sentence
    bool was_up = false;
  };

  bool look_at(Peer& peer, std::int64_t now_ns) AURALIS_REQUIRES(mutex_);
  static void read_declarations_again(Peer& peer, std::int64_t now_ns);
  bool is_at_work(Peer& peer, std::int64_t now_ns) const AURALIS_REQUIRES(mutex_);
  bool read(Peer& peer, std::int64_t now_ns, std::vector<MetricSample>& samples) AURALIS_REQUIRES(mutex_);
  static bool hangs(const Peer& peer);
  void read_counts(Peer& peer, std::int64_t now_ns, std::vector<MetricSample>& samples)
      AURALIS_REQUIRES(mutex_);
  void sample_machine(std::int64_t now_ns) AURALIS_REQUIRES(mutex_);
  static bool beats(const Peer& peer, std::int64_t now_ns);
  void note_hang(const Peer& peer, std::int64_t now_ns) AURALIS_REQUIRES(mutex_);
  void note_losses(const Peer& peer, std::int64_t now_ns, const std::vector<MetricSample>& samples)
      AURALIS_REQUIRES(mutex_);
  static std::optional<DaemonEvent> what_changed(Peer& peer, bool up);
  Snapshot take_locked() AURALIS_REQUIRES(mutex_);
  void show_gpu() AURALIS_REQUIRES(mutex_);

  const Clock& clock_;
  const std::int64_t began_unix_ns_;
  Mutex mutex_;
  OwnMetricsMemory own_ AURALIS_GUARDED_BY(mutex_);
  DerivedMetrics derived_ AURALIS_GUARDED_BY(mutex_);
  StationRings rings_ AURALIS_GUARDED_BY(mutex_);
  RingDepths depths_ AURALIS_GUARDED_BY(mutex_);
  RingMeters meters_ AURALIS_GUARDED_BY(mutex_);
  SystemSampler system_ AURALIS_GUARDED_BY(mutex_);
  GpuSampler gpus_ AURALIS_GUARDED_BY(mutex_);
  ProbeResults probes_ AURALIS_GUARDED_BY(mutex_);
  const std::filesystem::path runtime_folder_;
  const std::filesystem::path log_folder_;  // empty: no log files
  Absence absence_ AURALIS_GUARDED_BY(mutex_);
  HangLosses losses_ AURALIS_GUARDED_BY(mutex_);
  std::array<Peer, 2> peers_ AURALIS_GUARDED_BY(mutex_);
};

}  // namespace auralis
