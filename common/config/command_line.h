// SPDX-License-Identifier: MIT
// Parsing of a command line, as the daemons and the tools do it.
#pragma once

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): its name
class App;
}  // namespace CLI

namespace auralis {

inline constexpr const char* kUnknownOption = "unknown option; --help lists them";

// Parses into the variables that `app` was declared with. Returns what is wrong as one line that says what to
// do; empty if nothing is. `quoted` renders an argument for people (nullptr: as it is), `surplus` is what is
// said of a plain argument that nothing takes. `app` has allow_extras() set.
std::string parse_command_line(CLI::App& app, int argc, const char* const* argv,
                               std::string (*quoted)(const std::string&) = nullptr,
                               const std::string& surplus = kUnknownOption);

}  // namespace auralis
