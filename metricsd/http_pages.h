// SPDX-License-Identifier: MIT
// The pages that metricsd's HTTP server serves, and its limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace auralis {

struct HttpPage {
  std::string_view type = "text/plain; charset=utf-8";  // a literal
  std::string body;
  int status = 200;
};

// The page of each path, made on GET by the server's thread, one at a time. An exception is answered with 500
// and logged.
using HttpPages = std::map<std::string, std::function<HttpPage()>, std::less<>>;

// Deadlines are measured in this process's running time: being stopped (SIGSTOP, a suspended machine) does
// not count.
struct HttpLimits {
  std::size_t connections = 256;  // open at a time; one more closes the one that has been idle longest
  std::size_t head_bytes = 16'384;
  std::size_t body_bytes = 65'536;          // of requests; read and ignored
  std::chrono::milliseconds head{5'000};    // from the first byte of a request to its last
  std::chrono::milliseconds answer{5'000};  // for a client to take the answer
  std::chrono::milliseconds idle{75'000};   // without a request
};

}  // namespace auralis
