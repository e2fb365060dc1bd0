// SPDX-License-Identifier: MIT
// What `--healthcheck` of a daemon with a metrics segment does.
#pragma once

#include <cstdint>
#include <ostream>

#include "common/config.h"

namespace auralis {

// Whether the daemon that runs in this configuration's runtime directory is alive and not hung: 0 or 1, the
// exit status, and a sentence on `out`.
int healthcheck(const Config& config, Daemon daemon, std::int64_t now_ns, std::ostream& out);

}  // namespace auralis
