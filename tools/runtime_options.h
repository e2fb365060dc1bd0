// SPDX-License-Identifier: MIT
// Options of the tools that use the daemons' shared memory: where it is.
#pragma once

#include <string>

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

// The folder of shared memory where none is configured: `own`, of daemons of this user, if it exists; else
// `system`, of the system service, if that exists, which a member of its group may read but not write; else
// `own`.
std::string runtime_dir_to_use(const std::string& own, const std::string& system);

}  // namespace auralis
