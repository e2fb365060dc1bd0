// SPDX-License-Identifier: MIT
// auralis-load's command line.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>

#include "tools/stream_url.h"

namespace auralis {

struct LoadOptions {
  StreamUrl url;
  std::string protocol;
  std::size_t listeners = 0;
  std::size_t stalled = 0;  // of them
  double stall_s = 0;       // of the measurement; 0: to its end
  std::size_t reset = 0;    // of those that do not stall
  double ramp = 0;          // new connections a second
  double seconds = 0;
  pid_t server = 0;  // whose usage is reported; 0: none
  bool json = false;
};

// Prints --help or --version on `out` and returns nothing, else the options. Throws UsageError.
std::optional<LoadOptions> parse_load_options(int argc, const char* const* argv, std::ostream& out);

}  // namespace auralis
