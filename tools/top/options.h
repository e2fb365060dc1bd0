// SPDX-License-Identifier: MIT
// auralis-top's command line.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "common/config/config.h"

namespace auralis {

struct TopOptions {
  enum class Mode { kScreen, kOnce, kJson, kMetric };

  Config config;  // as the daemons have it
  Mode mode = Mode::kScreen;
  std::string metric;  // of kMetric: its name
};

// Prints --help or --version on `out` and returns nothing, else the options. `environment` has the form of
// environ. Throws UsageError and ConfigError.
std::optional<TopOptions> parse_top_options(int argc, const char* const* argv, const char* const* environment,
                                            std::ostream& out);

}  // namespace auralis
