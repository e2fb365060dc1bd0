// SPDX-License-Identifier: MIT
#include "tools/probe/publication.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "common/base/file_descriptor.h"
#include "common/metrics/metrics_segment.h"
#include "tools/probe_metrics.h"

namespace auralis {
namespace {

constexpr mode_t kFolderMode = 0750;  // as of every folder of segments

[[noreturn]] void fail(const std::filesystem::path& folder, const std::string& what) {
  throw SegmentError("results of probes cannot be published in " + folder.string() + ": " + what + ": " +
                     std::generic_category().message(errno));
}

// Held while a result is added to the others, which a second process would read too early.
FileDescriptor lock(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) fail(folder, "the folder");
  FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open() || ::flock(opened.get(), LOCK_EX) != 0) fail(folder, "its lock");
  return opened;
}

bool same_stream(const ProbeResult& a, const ProbeResult& b) {
  return a.station == b.station && a.format == b.format;
}

void add(std::vector<ProbeResult>& results, const ProbeResult& result) {
  const auto same = std::find_if(results.begin(), results.end(),
                                 [&](const ProbeResult& other) { return same_stream(other, result); });
  if (same != results.end()) {
    *same = result;
  } else if (results.size() < kProbedStreams) {
    results.push_back(result);
  } else {
    *std::min_element(results.begin(), results.end(), [](const ProbeResult& a, const ProbeResult& b) {
      return a.run_seconds < b.run_seconds;
    }) = result;
  }
}

void set(ProbeMetrics::Stream& stream, const ProbeResult& result) {
  stream.success.set(result.success ? 1 : 0);
  stream.last_run_seconds.set(result.run_seconds);
  stream.chunks_received.set(static_cast<double>(result.received));
  stream.chunks_wrong.set(static_cast<double>(result.wrong));
  stream.snr_db.set(result.snr_db);
}

// Of a value in memory that another process may have overwritten.
std::uint64_t count_of(double value) {
  constexpr double kMost = 9'007'199'254'740'992;  // 2^53
  return 0 <= value && value <= kMost ? static_cast<std::uint64_t>(value) : 0;
}

void take(ProbeResult& result, std::string_view name, double value) {
  if (name == kProbeSuccess) result.success = value != 0;
  if (name == kProbeLastRun) result.run_seconds = value;
  if (name == kProbeChunksReceived) result.received = count_of(value);
  if (name == kProbeChunksWrong) result.wrong = count_of(value);
  if (name == kProbeSnr) result.snr_db = value;
}

}  // namespace

std::vector<ProbeResult> published_results(const std::filesystem::path& folder) {
  MetricsReader reader(folder);
  reader.refresh();
  std::vector<MetricSample> samples;
  reader.read(samples);
  std::vector<ProbeResult> results;
  for (const MetricSample& sample : samples) {
    ProbeResult stream;
    stream.station = label_value(sample.spec.labels, "station");
    stream.format = label_value(sample.spec.labels, "format");
    if (stream.station.empty() || stream.format.empty()) continue;
    auto known = std::find_if(results.begin(), results.end(),
                              [&](const ProbeResult& other) { return same_stream(other, stream); });
    if (known == results.end()) known = results.insert(known, std::move(stream));
    take(*known, sample.spec.name, sample.value);
  }
  return results;
}

void publish(const std::filesystem::path& folder, const ProbeResult& result, std::int64_t now_ns) {
  const FileDescriptor held = lock(folder);
  // A new writer's gauges are absent at first, also those of other streams.
  std::vector<ProbeResult> results = published_results(folder);
  add(results, result);
  results.resize(std::min(results.size(), kProbedStreams));
  MetricsWriter writer(folder, declared_metrics<ProbeMetrics>(), 1, now_ns);
  MetricBinder& binder = writer.shard(0);
  ProbeMetrics metrics(binder);
  for (std::size_t i = 0; i < kProbedStreams; ++i) {
    const bool used = i < results.size();
    writer.set_late_label(i, used ? results[i].station : "");
    writer.set_late_label(probe_format_label(i), used ? results[i].format : "");
  }
  const MetricsUpdate update(binder);
  for (std::size_t i = 0; i < results.size(); ++i) set(metrics.streams.at(i), results[i]);
}

}  // namespace auralis
