// SPDX-License-Identifier: MIT
// A daemon's metrics in shared memory: late labels and declarations first, then a shard of values for each of
// its threads.
//
//     payload: [ MetricsHeader | LateLabels | MetricEntry x metric_count | shard 0 | shard 1 | ... ]
//
// The daemon writes it, metricsd and the tools read it and need to know nothing of what it declares.
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

inline constexpr std::uint32_t kMetricsLayoutVersion = 3;

// The one writer. Counters, histograms and the texts of late labels of a former writer with the same
// declarations go on; gauges start absent.
class MetricsWriter {
 public:
  // `directory` is the daemon's own (runtime directory / daemon). Throws SegmentError.
  MetricsWriter(const std::filesystem::path& directory, const std::vector<MetricSpec>& specs,
                std::size_t shards, std::int64_t now_ns);
  ~MetricsWriter();

  // A binder for shard `shard`: give it to the constructor of the class whose declarations these are. Each
  // shard belongs to one thread. Lives as long as the writer.
  MetricBinder& shard(std::size_t shard);

  // The text of late label `index`; empty where there is none. Any thread. Throws std::out_of_range.
  std::string late_label(std::size_t index) const;

  // Names the series that carry late label `index`; with an empty text they are absent for readers. A former
  // writer's text stays until it is set. Where the text changes, these series restart in all shards,
  // counts at 0 and gauges absent: so a name never shows another's counts. Give no two stations one name: of
  // series that are the same but for the index, metricsd shows the first. For the one thread that writes
  // these series, the only one in whichever shard. Wait-free: no lock, no allocation, no syscall. Throws
  // std::out_of_range, and std::invalid_argument for what is not up to 63 bytes of printable ASCII; then
  // nothing has changed.
  void set_late_label(std::size_t index, std::string_view text);

  // The thread of set_late_label(), from the daemon's working loop. Puts right the labels that another
  // process wrote over.
  void beat(std::int64_t now_ns);

  // Puts the segment back if its file was removed, replaced or cut short, and what another process wrote
  // over: no figure is lost, since the writer has its own. About once a second; one thread. Throws
  // SegmentError.
  void run_housekeeping(std::int64_t now_ns);

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
