// SPDX-License-Identifier: MIT
// Text in lines of limited width. Pure.
#pragma once

#include <sstream>
#include <string>
#include <string_view>

namespace auralis {

// `text` wrapped at `width` characters, lines joined by `line_break`. A longer word has a line of its own.
inline std::string wrapped(std::string_view text, std::size_t width, std::string_view line_break) {
  std::istringstream words{std::string(text)};
  std::string lines;
  std::size_t column = 0;
  for (std::string word; words >> word;) {
    const bool fits = column + 1 + word.size() <= width;
    if (!lines.empty()) lines += fits ? " " : line_break;
    column = (fits && column > 0 ? column + 1 : 0) + word.size();
    lines += word;
  }
  return lines;
}

}  // namespace auralis
