// SPDX-License-Identifier: MIT
#include "metricsd/runbooks.h"

namespace auralis {

std::map<std::string_view, std::string_view> markdown_sections(std::string_view markdown) {
  constexpr std::string_view kHeading = "\n## ";
  std::map<std::string_view, std::string_view> sections;
  for (std::size_t at = markdown.find(kHeading); at != std::string_view::npos;) {
    const std::size_t name = at + kHeading.size();
    const std::size_t next = markdown.find(kHeading, name);
    const std::string_view section = markdown.substr(at + 1, next - at - 1);
    sections[markdown.substr(name, markdown.find('\n', name) - name)] = section;
    at = next;
  }
  return sections;
}

}  // namespace auralis
