// SPDX-License-Identifier: MIT
#include "common/base/build_info.h"

namespace auralis {

std::string_view build_version() { return AURALIS_VERSION; }
std::string_view build_commit() { return AURALIS_COMMIT; }
std::string_view build_compiler() { return AURALIS_COMPILER; }

}  // namespace auralis
