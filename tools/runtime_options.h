// SPDX-License-Identifier: MIT
// Options of the tools that use the daemons' shared memory: where it is.
#pragma once

#include "common/config/config.h"
#include "tools/arguments.h"

namespace auralis {

inline constexpr const char* kRuntimeDirFlag = "--runtime-dir";
inline constexpr const char* kConfigFlag = "--config";

// Declares --runtime-dir and --config.
void declare_runtime_options(Arguments& arguments);

// The configuration that the daemons have: from these options, the environment, which has the form of
// environ, and the file. Throws ConfigError.
Config read_runtime_config(const Arguments& arguments, const char* const* environment);

}  // namespace auralis
