// SPDX-License-Identifier: MIT
// docs/runbooks.md, by alert, so that a link in an alert leads to what to do about it, as this version knows
// it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace auralis {

// The sections of a Markdown text, each from its heading ("## NAME") to the next, by name. What is before the
// first belongs to none. The names and sections are parts of `markdown`.
std::map<std::string_view, std::string_view> markdown_sections(std::string_view markdown);

}  // namespace auralis
