// SPDX-License-Identifier: MIT
// Parses command lines, for the daemons and the tools.
#pragma once

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): its name
class App;
}  // namespace CLI

namespace auralis {

inline constexpr const char* kUnknownOption = "unknown option; --help lists them";

// Parses into the variables that `app` was declared with. Returns an error as one line that says what to do;
// empty if there is none. `quoted` renders an argument for people (nullptr: unchanged), `surplus` is the
// error for an unexpected plain argument. `app` has allow_extras() set.
std::string parse_command_line(CLI::App& app, int argc, const char* const* argv,
                               std::string (*quoted)(const std::string&) = nullptr,
                               const std::string& surplus = kUnknownOption);

}  // namespace auralis
