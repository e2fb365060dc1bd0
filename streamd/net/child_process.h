// SPDX-License-Identifier: MIT
// Internal to WebSocketServer: child processes whose output is read on a worker's event loop.
#pragma once

#include <memory>

#include "streamd/net/child_output.h"

namespace asio {
class io_context;
}

namespace auralis {

// Starts a process with its input and its errors at /dev/null, without our descriptors, not in real time. The
// loop's thread only. Throws std::system_error.
std::unique_ptr<ChildOutput> run_child(asio::io_context& io, ChildCommand command);

}  // namespace auralis
