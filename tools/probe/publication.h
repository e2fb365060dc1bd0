// SPDX-License-Identifier: MIT
// Publishes results of probes in shared memory, where metricsd finds them after the probe has ended. One
// thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace auralis {

struct ProbeResult {
  std::string station;  // its label: up to 63 bytes of printable ASCII, not empty; also the format
  std::string format;
  double run_seconds = 0;  // when it listened, in seconds since 1970
  bool success = false;
  std::uint64_t received = 0;  // chunks
  std::uint64_t wrong = 0;     // chunks
  std::optional<double> snr_db;
};

// Adds `result` to those published in `folder`, in place of the former one of its stream, or, if there are
// kProbedStreams others, of the oldest. `now_ns`: CLOCK_MONOTONIC. Waits while another process publishes
// there. Throws SegmentError.
void publish(const std::filesystem::path& folder, const ProbeResult& result, std::int64_t now_ns);

// What is published in `folder`, in any order; nothing if it cannot be read.
std::vector<ProbeResult> published_results(const std::filesystem::path& folder);

}  // namespace auralis
