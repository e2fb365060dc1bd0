// SPDX-License-Identifier: MIT
// The last hour of each process's own memory: longer than the history is kept.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "metricsd/history.h"

namespace auralis {

// One thread at a time.
class MemoryHour {
 public:
  struct Growth {
    double percent_an_hour = 0;  // of the mean
    bool whole = false;          // the hour is full: the slope of a few minutes is that of the start
  };

  // Call after each History::add().
  void note(const History& history);

  // By process; of those that were seen twice within the hour.
  std::map<std::string, Growth> growth() const;

 private:
  struct Point {
    std::int64_t now_ns;
    double mb;
  };

  std::map<std::string, std::deque<Point>> points_;  // by process
};

}  // namespace auralis
