// SPDX-License-Identifier: MIT
// Interface of a worker to its network: connections to send to, requests to answer, and the queue of its
// thread. A test replaces it.
#pragma once

#include "common/base/process_time.h"
#include "streamd/api/http_api.h"
#include "streamd/delivery/transport.h"
#include "streamd/net/child_output.h"
#include "streamd/net/executor.h"

namespace auralis {

// The worker's thread only, except post().
class WorkerNetwork : public Transport, public Executor {
 public:
  // The time in which the worker's thread ran; timeouts of clients are measured in it.
  virtual const ProcessTime& process_time() const = 0;

  // Answers a request for which ConnectionEvents::http() returned nothing. Does nothing if its connection is
  // gone.
  virtual void respond(ConnectionId connection, const HttpResponse& response) = 0;

  // Starts a process, and reads its first piece. Throws std::system_error.
  virtual std::unique_ptr<ChildOutput> run_child(ChildCommand command) = 0;
};

}  // namespace auralis
