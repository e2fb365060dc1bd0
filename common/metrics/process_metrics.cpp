// SPDX-License-Identifier: MIT
#include "common/metrics/process_metrics.h"

#include "common/base/log.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

namespace auralis {
namespace {

double seconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Values of the lines "name:  value kB" of /proc/self/status, by name.
std::map<std::string, double> status_values() {
  std::map<std::string, double> values;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    const std::size_t colon = line.find(':');
    double value = 0;
    std::istringstream rest(colon == std::string::npos ? "" : line.substr(colon + 1));
    if (rest >> value) values[line.substr(0, colon)] = value;
  }
  return values;
}

// Seconds since 1970 at which this process started; nothing if /proc does not tell. proc(5): field 22 of
// stat, in ticks since the machine's start. The name in the second field may hold spaces and parentheses.
std::optional<double> start_seconds() {
  std::ifstream stat("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = 0;
  if (!(fields >> ticks)) return std::nullopt;
  timespec since_boot{};
  timespec now{};
  if (clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
    return std::nullopt;
  const double age = seconds(since_boot) - ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  return seconds(now) - age;
}

}  // namespace

void ProcessMetrics::begin() {
  starts.add();
  if (const auto start = start_seconds()) start_time_seconds.set(*start);
  note_reload(true);
}

void ProcessMetrics::note_reload(bool successful) {
  reload_successful.set(successful ? 1 : 0);
  timespec now{};
  if (clock_gettime(CLOCK_REALTIME, &now) == 0) reload_seconds.set(seconds(now));
}

void ProcessMetrics::sample_memory() {
  const auto values = status_values();
  const auto show = [&](Gauge& gauge, const char* name, double unit) {
    const auto found = values.find(name);
    if (found == values.end()) return gauge.clear();
    gauge.set(found->second / unit);
  };
  constexpr double kKibAMib = 1024;
  show(memory_mb, "VmRSS", kKibAMib);
  show(resident_anon_mb, "RssAnon", kKibAMib);
  show(resident_file_mb, "RssFile", kKibAMib);
  show(resident_shmem_mb, "RssShmem", kKibAMib);
  show(threads, "Threads", 1);
}

void ProcessMetrics::sample_descriptors() {
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) {
    open_fds.clear();
  } else {
    // Without the one that reads the folder.
    open_fds.set(static_cast<double>(std::distance(files, std::filesystem::directory_iterator()) - 1));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) max_fds.set(static_cast<double>(limit.rlim_cur));
}

void ProcessMetrics::sample() {
  sample_memory();
  sample_descriptors();
  build_info.set(1);
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const double cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    // The kernel scales user and system time separately, so that their sum may fall by a tick.
    if (cpu > cpu_seen_) {
      cpu_seconds.add(cpu - cpu_seen_);
      cpu_seen_ = cpu;
    }
  }

  const auto dropped = static_cast<double>(log_messages_dropped());
  if (dropped > dropped_seen_) {
    log_dropped.add(dropped - dropped_seen_);
    dropped_seen_ = dropped;
  }
}

}  // namespace auralis
