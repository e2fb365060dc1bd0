// SPDX-License-Identifier: MIT
// The player's files, embedded into the binary.
#pragma once

#include <string_view>

namespace auralis {

struct WebFile {
  std::string_view path;
  std::string_view content_type;
  std::string_view bytes;
};

// The file served at `path` ("/" is the player's page), or null.
const WebFile* find_web_file(std::string_view path);

}  // namespace auralis
