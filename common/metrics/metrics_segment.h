// SPDX-License-Identifier: MIT
// A daemon's metrics in shared memory: late labels and declarations first, then a shard of values for each of
// its threads.
//
//     payload: [ MetricsHeader | LateLabels | MetricEntry x metric_count | shard 0 | shard 1 | ... ]
//
// The daemon writes it; metricsd and the tools read it, without prior knowledge of its declarations.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/metrics/metrics.h"
#include "common/segments/segment.h"

namespace auralis {

inline constexpr std::uint32_t kMetricsLayoutVersion = 5;

// The only writer. Counters, histograms and late labels continue from a former writer with the same
// declarations; gauges start absent.
class MetricsWriter final : public LateLabelWriter {
 public:
  // `directory` is the daemon's own (runtime directory / daemon). `unix_ns` is the wall time, which readers
  // learn as the beginning of the counts unless a former writer's continue; 0: unknown. Throws SegmentError.
  MetricsWriter(const std::filesystem::path& directory, const std::vector<MetricSpec>& specs,
                std::size_t shards, std::int64_t now_ns, std::int64_t unix_ns = 0);
  ~MetricsWriter() override;

  // The binder of shard `shard`, for the constructor of the metrics class. Each shard belongs to one thread.
  // Valid as long as the writer.
  MetricBinder& shard(std::size_t shard);

  // Any thread.
  std::string late_label(std::size_t index) const override;

  // A former writer's text stays until it is set. Names must be unique: of series that differ only in the
  // index, metricsd shows the first. Only by the one thread that writes these series in all shards.
  // Wait-free: no lock, no allocation, no syscall.
  void set_late_label(std::size_t index, std::string_view text) override;

  // Hands set_late_label() and beat() to the next thread that calls them (ThreadChecker::detach).
  void detach() noexcept;

  // Heartbeat, from the daemon's working loop, by the thread of set_late_label(). Restores labels that
  // another process overwrote.
  void beat(std::int64_t now_ns);

  // Restores the segment if its file was removed, replaced or truncated, and what another process overwrote:
  // no value is lost, because the writer has its own copy. About once a second; one thread. Throws
  // SegmentError.
  void run_housekeeping(std::int64_t now_ns);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A read-only view. One thread at a time.
class MetricsReader {
 public:
  explicit MetricsReader(const std::filesystem::path& directory);
  ~MetricsReader();

  // As SegmentReader::refresh, and validates every declaration against the mapped size.
  bool refresh();
  bool ready() const;
  std::string describe() const;
  const SegmentReader& segment() const;

  // Appends the current metrics; nothing unless ready, or if read_metrics() fails.
  void read(std::vector<MetricSample>& samples) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
