// SPDX-License-Identifier: MIT
// auralis-probe's command line.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "streamd/encode/wire_format.h"
#include "tools/stream_url.h"

namespace auralis {

// The end of the URL's path.
inline constexpr std::string_view kStreamPath = "/ws/stream";

// What received PCM must be, compared with the probe's own rendering.
enum class Strictness {
  kExact,  // the same, bit for bit
  kClose,  // near enough, for a server that renders with another engine
};

struct ProbeOptions {
  StreamUrl url;
  WireFormat format = WireFormat::kPcm;  // or kOpus
  Strictness strictness = Strictness::kExact;
  double seconds = 0;  // of music to receive
  bool json = false;
};

// Prints --help or --version on `out` and returns nothing, else the options. Throws UsageError.
std::optional<ProbeOptions> parse_probe_options(int argc, const char* const* argv, std::ostream& out);

}  // namespace auralis
