// SPDX-License-Identifier: MIT
#include "common/config/command_line.h"

#include <CLI/CLI.hpp>

namespace auralis {

std::string parse_command_line(CLI::App& app, int argc, const char* const* argv,
                               std::string (*quoted)(const std::string&), const std::string& surplus) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return std::string(error.what()) + "; --help lists the options";
  }
  const auto unknown = app.remaining();
  if (unknown.empty()) return {};
  const std::string& first = unknown.front();
  const bool is_option = !first.empty() && first.front() == '-';
  return (quoted != nullptr ? quoted(first) : first) + ": " + (is_option ? kUnknownOption : surplus);
}

}  // namespace auralis
