// SPDX-License-Identifier: MIT
// Downloads of music to come: auralis-render, a process of its own, renders and encodes each as fast as its
// client takes it, in processor time that nothing else wants.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "streamd/control/worker_context.h"
#include "streamd/net/worker_network.h"
#include "streamd/stream_metrics.h"

namespace auralis {

// Of one worker, and on its thread only.
class Downloads {
 public:
  // All references outlive it.
  Downloads(WorkerContext& context, WorkerNetwork& network, StreamMetrics& metrics);

  struct Music {
    std::uint64_t seed = 0;
    std::string permalink;  // of to_query()
  };
  // The answer to a request for `minutes` of that music, by a client that may listen: a refusal, or a stream,
  // whose connection's events follow.
  HttpResponse answer(ConnectionId id, const HttpRequest& request, const Music& music, std::int64_t minutes);

  // Events of connections, as in ConnectionEvents; false: it is none of a download.
  bool opened(ConnectionId id, MessageSink& sink);
  bool written(ConnectionId id);
  bool write_failed(ConnectionId id);
  bool closed(ConnectionId id);

  // Ends those whose client has taken nothing for as long as an idle listener may be silent, or that take
  // longer than to listen to them: they keep others from theirs.
  void check_timeouts();

 private:
  struct Download {
    std::vector<std::string> command;
    SharedPermit permit;
    MessageSink* sink = nullptr;
    std::unique_ptr<ChildOutput> output;
    std::int64_t ends_ns = 0;          // at the latest, by process time
    std::int64_t waits_since_ns = -1;  // for the client, likewise; -1: not
    bool rendered = false;             // all was read, and the end of the body is sent
    bool counted = false;              // in auralis_downloads_total
  };

  Download* find(ConnectionId id);
  void send(ConnectionId id, const WireMessagePtr& message);
  // The client has taken all that was sent.
  void go_on(ConnectionId id, Download& download);
  void rendered(ConnectionId id, int status);
  void fail(ConnectionId id, const std::string& why);

  WorkerContext& context_;
  WorkerNetwork& network_;
  StreamMetrics& metrics_;
  std::unordered_map<ConnectionId, Download> downloads_;
};

}  // namespace auralis
