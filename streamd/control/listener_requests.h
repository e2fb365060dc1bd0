// SPDX-License-Identifier: MIT
// Requests of listeners and of HTTP clients that workers pass on to the conductor, with the permits that the
// worker acquired for them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "streamd/admission/connection_limiter.h"
#include "streamd/control/station_directory.h"
#include "streamd/delivery/transport.h"
#include "streamd/encode/wire_format.h"

namespace auralis {

struct ReservedStation {
  StationRequest want;
  bool reserved = false;  // a personal station, counted in WorkerContext::pending_personal
  SharedPermit personal;  // for that station
  SharedPermit encoder;   // for its Opus encoder; null if none was needed
};

struct NewListener {
  std::size_t worker = 0;  // its index
  ReservedStation station;
  WireFormat format = WireFormat::kJson;
  std::string actor{};  // AccessPolicy::actor()
};

struct FormatRequest {
  std::optional<WireFormat> format;  // nothing: it stays
  bool stepped_down = false;         // by the server, since the connection is too slow; not answered
  SharedPermit encoder;              // as in ReservedStation
};

// The connection that an HTTP response goes to.
struct HttpCaller {
  std::size_t worker = 0;
  ConnectionId connection = 0;
  std::string actor{};  // AccessPolicy::actor()
};

}  // namespace auralis
