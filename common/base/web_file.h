// SPDX-License-Identifier: MIT
// A file of a web site that is embedded into a binary (auralis_embed_site in cmake/auralis.cmake).
#pragma once

#include <string_view>

namespace auralis {

struct WebFile {
  std::string_view path;
  std::string_view content_type;  // a literal
  std::string_view bytes;
  std::string_view gzip;     // the same in that format; empty if that is no shorter
  std::string_view version;  // names the bytes: 16 hexadecimal digits of their SHA-256
};

}  // namespace auralis
