// SPDX-License-Identifier: MIT
// Processor time of the whole machine, as the kernel counts it, and free space.
#pragma once

#include <filesystem>
#include <istream>
#include <optional>

namespace auralis {

// Processor time of all cores since boot, in the kernel's ticks: only ratios of differences mean something.
struct CpuTicks {
  double busy = 0;   // all except idle and waiting for a disk
  double total = 0;  // including those
  unsigned cores = 0;
};

// Reads the text of /proc/stat; nothing if it is not as proc(5) describes.
std::optional<CpuTicks> parse_proc_stat(std::istream& text);

// Free space of the file system that holds `folder`, in percent, as far as other users than root may use it;
// nothing if that cannot be told.
std::optional<double> free_percent(const std::filesystem::path& folder);

// Any thread.
class SystemSampler {
 public:
  // `proc` replaces /proc in a test.
  explicit SystemSampler(std::filesystem::path proc = "/proc") : proc_(std::move(proc)) {}

  // Nothing if it cannot be read.
  std::optional<CpuTicks> cpu() const;

 private:
  std::filesystem::path proc_;
};

}  // namespace auralis
