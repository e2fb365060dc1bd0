// SPDX-License-Identifier: MIT
// A run: connects the listeners one after another, waits until they receive audio, then measures. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "common/base/file_descriptor.h"
#include "tools/load/listener.h"
#include "tools/load/options.h"
#include "tools/load/process.h"
#include "tools/load/tally.h"

namespace auralis {

struct LoadResult {
  Tally tally;
  double ramp_s = 0;                          // from the first connection to the last handshake
  double measured_s = 0;                      // 0: no listener was connected
  double own_cpu_s = 0;                       // of this process during the measurement
  std::vector<std::uint64_t> dropped;         // of each listener: Listener::dropped()
  std::vector<std::uint64_t> server_dropped;  // of each listener: Listener::server_dropped()
  std::optional<ProcessUsage> server_before;  // before the first connection
  std::optional<ProcessUsage> server_begin;
  std::optional<ProcessUsage> server_end;
};

class LoadRun {
 public:
  // Resolves the server's address and raises the descriptor limit. Throws std::runtime_error.
  explicit LoadRun(const LoadOptions& options);
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  LoadResult run();

 private:
  void connect_and_settle();
  void measure();
  void check_stalled();
  // Handles the listeners' events; waits for them until then at most.
  void serve(std::int64_t until_ns);
  void serve_until(std::int64_t end_ns, const char* what);
  bool all_settled() const;
  std::size_t open_now() const;
  void show(const char* what, double done, double of);
  std::int64_t now_ns() const { return shared_.clock.now_ns(); }

  const LoadOptions& options_;
  ServerAddress server_;
  FileDescriptor epoll_;
  LoadResult result_;
  Listener::Shared shared_;
  std::deque<Listener> listeners_;
  bool terminal_;
  std::int64_t next_show_ns_ = 0;
};

}  // namespace auralis
