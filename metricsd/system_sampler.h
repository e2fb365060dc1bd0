// SPDX-License-Identifier: MIT
// What the kernel counts of the whole machine.
#pragma once

#include <filesystem>
#include <istream>
#include <optional>

namespace auralis {

// Processor time of all cores since boot, in the kernel's ticks: only ratios of differences mean something.
struct CpuTicks {
  double busy = 0;   // all but idle and waiting for a disk
  double total = 0;  // with those
  unsigned cores = 0;
};

// Reads the text of /proc/stat; nothing where it is not what proc(5) promises.
std::optional<CpuTicks> parse_proc_stat(std::istream& text);

// Any thread.
class SystemSampler {
 public:
  // `proc` takes the place of /proc in a test.
  explicit SystemSampler(std::filesystem::path proc = "/proc") : proc_(std::move(proc)) {}

  // Nothing where it cannot be read.
  std::optional<CpuTicks> cpu() const;

 private:
  std::filesystem::path proc_;
};

}  // namespace auralis
