// SPDX-License-Identifier: MIT
// A run: listeners come one after another, all are given time to hear something, then it is measured. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "tools/load/listener.h"
#include "tools/load/options.h"
#include "tools/load/process.h"
#include "tools/load/tally.h"

namespace auralis {

struct LoadResult {
  Tally tally;
  double ramp_s = 0;                          // from the first connection to the last handshake
  double measured_s = 0;                      // 0: no listener was left to be measured
  double own_cpu_s = 0;                       // while it was measured
  std::optional<ProcessUsage> server_before;  // before any listener came
  std::optional<ProcessUsage> server_begin;
  std::optional<ProcessUsage> server_end;
};

class LoadRun {
 public:
  // Finds the server's address and raises the limit of descriptors. Throws std::runtime_error.
  explicit LoadRun(const LoadOptions& options);
  ~LoadRun();
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  LoadResult run();

 private:
  void connect_and_settle();
  void measure();
  void look_after_stalled();
  // Waits for listeners until then, at most, and serves those who have something.
  void serve(std::int64_t until_ns);
  void serve_until(std::int64_t end_ns, const char* what);
  bool all_settled() const;
  std::size_t open_now() const;
  void show(const char* what, double done, double of);
  std::int64_t now_ns() const { return shared_.clock.now_ns(); }

  const LoadOptions& options_;
  ServerAddress server_;
  int epoll_;
  LoadResult result_;
  Listener::Shared shared_;
  std::deque<Listener> listeners_;
  bool terminal_;
  std::int64_t next_show_ns_ = 0;
};

}  // namespace auralis
