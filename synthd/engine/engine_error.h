// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>

namespace auralis {

// Failure of the device or its driver; the message names the call and the error, and says what to do.
struct EngineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace auralis
