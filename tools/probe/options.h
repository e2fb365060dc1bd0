// SPDX-License-Identifier: MIT
// auralis-probe's command line.
#pragma once

#include <filesystem>
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

// Where the result is shown among the daemons' metrics.
struct PublishOptions {
  std::filesystem::path folder;  // of the segment: Config::probe_dir()
  std::string station;           // its label
};

struct ProbeOptions {
  StreamUrl url;
  WireFormat format = WireFormat::kPcm;  // or kOpus
  Strictness strictness = Strictness::kExact;
  double seconds = 0;  // of music to receive
  bool json = false;
  std::optional<PublishOptions> publish;
};

// Prints --help or --version on `out` and returns nothing, else the options. `environment` has the form of
// environ; it is read only for --publish. Throws UsageError and ConfigError.
std::optional<ProbeOptions> parse_probe_options(int argc, const char* const* argv,
                                                const char* const* environment, std::ostream& out);

}  // namespace auralis
