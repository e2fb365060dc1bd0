// SPDX-License-Identifier: MIT
// A daemon's metrics in shared memory: declarations first, then a lane of values for each of its threads.
//
//     payload: [ MetricsHeader | MetricEntry x metric_count | lane 0 | lane 1 | ... ]
//
// The daemon writes it, metricsd and the tools read it and need to know nothing of what it declares.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/metrics.h"
#include "common/segment.h"

namespace auralis {

inline constexpr std::uint32_t kMetricsLayoutVersion = 2;

// The one writer. Counters and histograms of a former writer with the same declarations go on; gauges start
// absent.
class MetricsWriter {
 public:
  // `directory` is the daemon's own (runtime directory / daemon). Throws SegmentError.
  MetricsWriter(const std::filesystem::path& directory, const std::vector<MetricSpec>& specs,
                std::size_t lanes, std::int64_t now_ns);
  ~MetricsWriter();

  // A binder for lane `lane`: give it to the constructor of the class whose declarations these are. Each lane
  // belongs to one thread. Lives as long as the writer.
  MetricBinder& lane(std::size_t lane);

  // Any thread of the daemon, from its working loop.
  void beat(std::int64_t now_ns);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A read-only view. One thread.
class MetricsReader {
 public:
  explicit MetricsReader(const std::filesystem::path& directory);
  ~MetricsReader();

  // As SegmentReader::refresh, and validates every declaration against the mapped size.
  bool refresh();
  bool ready() const;
  std::string describe() const;
  const SegmentReader& segment() const;

  // Appends the figures as they are now; nothing unless ready, and where read_metrics() has none to give.
  void read(std::vector<MetricSample>& samples) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
