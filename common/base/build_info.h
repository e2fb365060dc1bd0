// SPDX-License-Identifier: MIT
// The build that is running. Any thread.
#pragma once

#include <string_view>

namespace auralis {

// The release, as --version says it.
std::string_view build_version();
// The commit that was checked out when the build was configured, abbreviated; "unknown" without git.
std::string_view build_commit();
// The compiler and its version.
std::string_view build_compiler();

}  // namespace auralis
