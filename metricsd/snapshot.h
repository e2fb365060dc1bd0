// SPDX-License-Identifier: MIT
// All figures of all daemons at one moment: what /metrics shows and what ZeroMQ publishes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
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
#include "metricsd/figure_guard.h"
#include "metricsd/own_metrics.h"
#include "metricsd/system_sampler.h"

namespace auralis {

// All series of one name, from whichever daemons.
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

// A daemon came, went or hung.
struct DaemonEvent {
  Daemon daemon;
  bool up;
  std::string message;  // a sentence for people
};

// Sorts samples into families. What would make the whole unreadable is left out: a malformed name, a number
// that is none, a series that is there already, a type other than its family's.
std::vector<SnapshotFamily> families_of(std::vector<MetricSample> samples);

// A histogram's counts of values not above each bound; the last is that of all.
std::vector<double> cumulative_buckets(const MetricSample& sample);

// metricsd's own figures on the heap, all gauges absent at first. One thread at a time.
class OwnMetricsMemory {
 public:
  OwnMetricsMemory();
  OwnMetricsMemory(const OwnMetricsMemory&) = delete;
  OwnMetricsMemory& operator=(const OwnMetricsMemory&) = delete;

  OwnMetrics& metrics() { return metrics_; }
  void read(std::vector<MetricSample>& samples) const;

 private:
  SharedWord* prepared();

  std::vector<MetricSpec> specs_;
  std::vector<SharedWord> words_;
  MetricBinder binder_;
  OwnMetrics metrics_;
};

// Reads the segments of the others and keeps metricsd's own figures. Any thread: one mutex, which nothing of
// the audio path knows of. A daemon that is not healthy contributes nothing but `auralis_up` 0; of one that
// is, what FigureGuard withholds is missing.
class SnapshotSource {
 public:
  // `clock` must outlive it; `proc` takes the place of /proc in a test.
  SnapshotSource(const Config& config, const Clock& clock, const std::filesystem::path& proc = "/proc");

  // Moves the sliding windows and the figures of the process itself on. About each second, by one thread.
  // Returns what has changed of the daemons since the last call, and logs it.
  std::vector<DaemonEvent> sample();

  // The figures of now, after sample(): the segments are read afresh.
  Snapshot take();

  // As take(), at any moment: also the first one after this process has stood still.
  Snapshot view();

  // As view(), and counts an answer given at /metrics.
  Snapshot scrape();
  void count_published();

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
    FigureGuard guard;
    bool up = false;            // when last looked at
    bool withheld = false;      // some of its figures, at the last read
    std::int64_t sound_ns = 0;  // when not all of them were last withheld
    std::string trouble;        // why it is not at work, though its metrics are written
    std::string last_said;      // what the log last heard of it
  };

  bool look_at(Peer& peer, std::int64_t now_ns) AURALIS_REQUIRES(mutex_);
  static void read_declarations_again(Peer& peer, std::int64_t now_ns);
  bool is_at_work(Peer& peer, std::int64_t now_ns) const AURALIS_REQUIRES(mutex_);
  bool read(Peer& peer, std::int64_t now_ns, std::vector<MetricSample>& samples) AURALIS_REQUIRES(mutex_);
  static std::optional<DaemonEvent> what_changed(Peer& peer, bool up);
  Snapshot take_locked() AURALIS_REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  OwnMetricsMemory own_ AURALIS_GUARDED_BY(mutex_);
  DerivedMetrics derived_ AURALIS_GUARDED_BY(mutex_);
  SystemSampler system_ AURALIS_GUARDED_BY(mutex_);
  Absence absence_ AURALIS_GUARDED_BY(mutex_);
  std::array<Peer, 2> peers_ AURALIS_GUARDED_BY(mutex_);
};

}  // namespace auralis
