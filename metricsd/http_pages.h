// SPDX-License-Identifier: MIT
// The pages and event streams that metricsd's HTTP server serves, and its limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace auralis {

// The parts of a request that a page may depend on. Valid during the call.
struct HttpRequest {
  std::string_view query;   // of the target, without its question mark: see query_fields() of permalink.h
  std::string_view accept;  // the header
};

struct HttpPage {
  std::string_view type = "text/plain; charset=utf-8";  // a literal
  std::string body;
  int status = 200;
};

// The page of each path, made on GET by the server's thread, one at a time. A QueryError is answered with 400
// and its sentence, another exception with 500, and logged.
using HttpPages = std::map<std::string, std::function<HttpPage(const HttpRequest&)>, std::less<>>;

// The paths of event streams: text/event-stream as EventSource of browsers reads it, fed by
// HttpServer::publish(). A subscriber gets the newest event at once, then each as it is published; one that
// has too many events waiting is closed, and may connect again. Beyond the limit of subscribers the answer is
// 503, after which EventSource does not try again by itself.
using HttpStreams = std::set<std::string, std::less<>>;

// Deadlines are measured in this process's running time: being stopped (SIGSTOP, a suspended machine) does
// not count.
struct HttpLimits {
  std::size_t connections = 256;    // open at a time; one more closes the one that has been idle longest
  std::size_t subscribers = 64;     // of them, on event streams: these are not closed to make room
  std::size_t waiting_events = 16;  // for one subscriber, beyond what the kernel holds
  // A handshake takes a millisecond of the processor, before any password: connections beyond are closed.
  std::int64_t tls_handshakes_per_second = 50;
  std::int64_t tls_handshakes_at_once = 100;
  std::size_t head_bytes = 16'384;
  std::size_t body_bytes = 65'536;          // of requests; read and ignored
  std::chrono::milliseconds head{5'000};    // from the first byte of a request to its last
  std::chrono::milliseconds answer{5'000};  // for a client to take the answer
  std::chrono::milliseconds idle{75'000};   // without a request
};

}  // namespace auralis
