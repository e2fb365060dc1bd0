// SPDX-License-Identifier: MIT
#include "tools/load/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace auralis {
namespace {

// The value of a line such as "VmRSS:     1234 kB".
std::optional<std::int64_t> field_kib(const std::filesystem::path& file, const std::string& name) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (line.compare(0, name.size(), name) != 0) continue;
    std::istringstream rest(line.substr(name.size()));
    std::int64_t kib = 0;
    if (rest >> kib) return kib;
  }
  return std::nullopt;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::optional<ProcessUsage> process_usage(pid_t pid) {
  const std::filesystem::path folder = "/proc/" + std::to_string(pid);
  std::ifstream stream(folder / "stat");
  std::string line;
  if (!std::getline(stream, line)) return std::nullopt;
  // The name, in parentheses, may have spaces and parentheses of its own.
  std::istringstream rest(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) rest >> skipped;
  double user_ticks = 0;
  double system_ticks = 0;
  if (!(rest >> user_ticks >> system_ticks)) return std::nullopt;
  ProcessUsage usage;
  usage.cpu_s = (user_ticks + system_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  usage.rss_kib = field_kib(folder / "status", "VmRSS:").value_or(0);
  usage.pss_kib = field_kib(folder / "smaps_rollup", "Pss:");
  return usage;
}

double own_cpu_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace auralis
