// SPDX-License-Identifier: MIT
// streamd: joins the pump, the hub, the control segment, HTTP and the network.
#pragma once

#include <memory>

#include "common/clock.h"
#include "common/config.h"

namespace auralis {

class StreamServer {
 public:
  // Takes the segments and listens. `clock` outlives it. Throws SegmentError, ListenError.
  StreamServer(const Config& config, const Clock& clock);
  ~StreamServer();

  // Serves on the calling thread, streamd's network thread, until stop(). Whether audio flows is told by
  // /readyz.
  void run();

  // From any thread: tells the listeners, and ends run().
  void stop();

  // From the housekeeping thread, about each second: the process's own figures.
  void sample_process();

  // From any thread: whether the network thread is at work.
  bool healthy() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
