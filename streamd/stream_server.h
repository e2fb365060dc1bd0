// SPDX-License-Identifier: MIT
// streamd as a whole: connects the conductor, the workers, the acceptor and the segments, and runs their
// threads.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/config/config.h"

namespace auralis {

class StreamServer {
 public:
  // Takes over the segments, reads keys and certificates, and listens. `clock` outlives it. Throws
  // SegmentError, ListenError, SecretError, TlsError.
  StreamServer(const Config& config, const Clock& clock);
  // Stops it.
  ~StreamServer();

  // Serves on threads of its own. `failed` is called on a thread that fails, with its error. /readyz reports
  // whether audio flows.
  void start(const std::function<void(const std::string&)>& failed);

  // Drains: warns the listeners, closes them within streamd.drain_ms, and returns once all threads have
  // ended.
  void stop();

  // The housekeeping thread, about once a second: samples the process's metrics, repairs the metrics segment,
  // and reloads renewed certificates. Throws SegmentError.
  void run_housekeeping();

  // The housekeeping thread. Notes that the configuration was loaded again, or refused.
  void note_reload(bool successful);

  // Any thread. Whether the thread that delivers audio is running, not hanging.
  bool healthy() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
