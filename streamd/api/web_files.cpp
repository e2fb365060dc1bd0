// SPDX-License-Identifier: MIT
#include "streamd/api/web_files.h"

#include <algorithm>
#include <iterator>

#include "embedded/web_files.h"

namespace auralis {

const WebFile* find_web_file(std::string_view path) {
  const auto* found = std::find_if(std::begin(embedded::kWebFiles), std::end(embedded::kWebFiles),
                                   [&](const WebFile& file) { return file.path == path; });
  return found == std::end(embedded::kWebFiles) ? nullptr : found;
}

}  // namespace auralis
