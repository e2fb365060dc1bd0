// SPDX-License-Identifier: MIT
// A small HTTP/1.1 server for a few pages generated on request and for event streams, built on Boost.Beast
// and Boost.Asio, which this header hides.
//
// One thread serves all connections and waits for none of them: idle and slow clients cost a descriptor and a
// few kilobytes each, and are closed to make room for newer connections.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "metricsd/http_endpoint.h"
#include "metricsd/http_pages.h"

namespace auralis {

// Serves GET, HEAD and OPTIONS from a thread of its own for as long as it lives. All functions: any thread.
class HttpServer {
 public:
  // What `pages` refer to must outlive it. A certificate that changes is loaded again, a password is not.
  // Throws std::runtime_error if it cannot listen there or a file cannot be used.
  HttpServer(const HttpEndpoint& endpoint, HttpPages pages, const HttpStreams& streams = {},
             const HttpLimits& limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Sends an event with this data (a line or several, UTF-8) to all subscribers of the stream at `path`,
  // which must be one of `streams`. Does not wait for any: all share one copy.
  void publish(std::string_view path, std::string_view data);

  // The port it listens at.
  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
