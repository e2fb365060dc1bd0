// SPDX-License-Identifier: MIT
#include "metricsd/system_sampler.h"

#include <fstream>
#include <sstream>
#include <string>

namespace auralis {
namespace {

// The columns of a cpu line that add up to its time; the two after them (guest) are contained in the first
// two.
enum Column { kUser, kNice, kSystem, kIdle, kIoWait, kIrq, kSoftIrq, kSteal, kColumns };

bool parse_machine_line(std::istringstream& line, CpuTicks& ticks) {
  for (int column = kUser; column < kColumns; ++column) {
    double value = 0;
    if (!(line >> value) || value < 0) return false;
    ticks.total += value;
    if (column != kIdle && column != kIoWait) ticks.busy += value;
  }
  return true;
}

}  // namespace

std::optional<CpuTicks> parse_proc_stat(std::istream& text) {
  CpuTicks ticks;
  bool machine_seen = false;
  std::string line_text;
  while (std::getline(text, line_text)) {
    std::istringstream line(line_text);
    std::string name;
    line >> name;
    if (name == "cpu") {
      if (machine_seen || !parse_machine_line(line, ticks)) return std::nullopt;
      machine_seen = true;
    } else if (name.compare(0, 3, "cpu") == 0) {
      ++ticks.cores;
    }
  }
  if (!machine_seen || ticks.cores == 0) return std::nullopt;
  return ticks;
}

std::optional<double> free_percent(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (error || space.capacity == 0) return std::nullopt;
  return 100 * static_cast<double>(space.available) / static_cast<double>(space.capacity);
}

std::optional<CpuTicks> SystemSampler::cpu() const {
  std::ifstream file(proc_ / "stat");
  if (!file) return std::nullopt;
  return parse_proc_stat(file);
}

}  // namespace auralis
