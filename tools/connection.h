// SPDX-License-Identifier: MIT
// A TCP connection to a server, waited for with deadlines (CLOCK_MONOTONIC). One thread.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/base/file_descriptor.h"
#include "tools/stream_url.h"

namespace auralis {

// The server cannot be reached, or refuses; in one line.
struct ConnectionError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Connection {
 public:
  // Connects. Throws ConnectionError.
  Connection(const StreamUrl& url, std::int64_t deadline_ns);

  // Throws ConnectionError if the server takes none of it; `bytes` are fewer than a socket's buffer holds.
  void send(std::string_view bytes);

  enum class Arrival { kBytes, kClosed, kDeadline };

  // Waits for bytes, which replace those in `bytes`.
  Arrival receive(std::string& bytes, std::int64_t deadline_ns);

 private:
  bool wait(short events, std::int64_t deadline_ns) const;

  FileDescriptor socket_;
};

// What a refusal says, for an error message.
std::string first_line(std::string_view body);

// The body of the answer to a GET of `target`, whose status must be 200. Throws ConnectionError.
std::string http_get(const StreamUrl& url, const std::string& target, std::int64_t deadline_ns);

}  // namespace auralis
