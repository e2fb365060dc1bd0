// SPDX-License-Identifier: MIT
// streamd: joins the conductor, the workers, the acceptor and the segments, and gives each its thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/config/config.h"

namespace auralis {

class StreamServer {
 public:
  // Takes the segments, reads keys and certificates, and listens. `clock` outlives it. Throws SegmentError,
  // ListenError, SecretError, TlsError.
  StreamServer(const Config& config, const Clock& clock);
  // Stops what runs.
  ~StreamServer();

  // Serves on threads of its own from now on; `failed` is called, once, where one of them fails, with what it
  // failed of. Whether audio flows is told by /readyz.
  void start(std::function<void(const std::string&)> failed);

  // Tells the listeners, sends them away within the time of the configuration, and returns when all is over.
  void stop();

  // From the housekeeping thread, about each second: the process's own figures, its metrics segment, and
  // renewed certificates. Throws SegmentError.
  void run_housekeeping();

  // From any thread: whether the thread that delivers is at work.
  bool healthy() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
