// SPDX-License-Identifier: MIT
// A small HTTP/1.1 server for a few pages that are made when they are asked for, built on Boost.Beast and
// Boost.Asio, which this header does not show.
//
// One thread serves all connections and waits for none of them: idle and slow clients cost a descriptor and a
// few kilobytes each, and give up their place to newer connections.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace auralis {

struct HttpPage {
  std::string_view type = "text/plain; charset=utf-8";  // a literal
  std::string body;
  int status = 200;
};

// What a GET of each path is answered with: called by the server's thread, one at a time. What it throws is
// answered with 500 and logged.
using HttpPages = std::map<std::string, std::function<HttpPage()>, std::less<>>;

// Deadlines count the time in which this process runs: being stopped (SIGSTOP, a suspended machine) uses up
// none of them.
struct HttpLimits {
  std::size_t connections = 256;  // open at a time; one more closes the one that has been idle longest
  std::size_t head_bytes = 16'384;
  std::size_t body_bytes = 65'536;          // of requests; read and ignored
  std::chrono::milliseconds head{5'000};    // from the first byte of a request to its last
  std::chrono::milliseconds answer{5'000};  // for a client to take the answer
  std::chrono::milliseconds idle{75'000};   // without a request
};

// Serves GET, HEAD and OPTIONS from a thread of its own for as long as it lives. All functions: any thread.
class HttpServer {
 public:
  // Listens at `host` (an IPv4 or IPv6 address, or localhost, which is 127.0.0.1; :: also serves IPv4 if the
  // system does) and `port`, 0 for any that is free. What `pages` refer to must outlive it. Throws
  // std::runtime_error if it cannot listen there.
  HttpServer(const std::string& host, std::int64_t port, HttpPages pages, const HttpLimits& limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The port it listens at.
  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
