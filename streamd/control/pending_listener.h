// SPDX-License-Identifier: MIT
// State that the conductor keeps of a waiting listener, until it is served or removed.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "streamd/api/messages.h"
#include "streamd/control/listener_requests.h"

namespace auralis {

// A station that does not play yet, or whose first chunks are being encoded.
struct PendingStation {
  StationId station;
  bool subscribed = false;              // requested by a listener that hears another one; it is answered
  bool own = false;                     // a personal station, opened for this listener
  std::vector<ClientMessage> changes;   // requested since then: they are meant for that station
  std::int64_t plays_since_ns = 0;      // 0: it does not play yet
  std::optional<std::int64_t> after{};  // as in StationRequest
};

// A format that a listener is switched to as soon as that is possible without a gap.
struct PendingFormat {
  std::optional<WireFormat> format;  // nothing: only the answer is due
  bool stepped_down = false;
  std::int64_t since_ns = 0;
};

struct PendingListener {
  std::optional<PendingStation> station;
  // In the order in which they came; empty, or a PendingFormat comes first: answers keep the order of the
  // requests.
  std::deque<std::variant<PendingFormat, ClientMessage, ReservedStation>> requests;
};

}  // namespace auralis
