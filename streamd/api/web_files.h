// SPDX-License-Identifier: MIT
// The player's files, embedded into the binary.
#pragma once

#include <string_view>

#include "common/base/web_file.h"

namespace auralis {

// The file served at `path` ("/" is the player's page), or null.
const WebFile* find_web_file(std::string_view path);

}  // namespace auralis
