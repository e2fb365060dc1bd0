// SPDX-License-Identifier: MIT
// Loads a daemon's configuration from its flags, environment and file, and writes it as a file.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "common/config/config.h"

namespace auralis {

struct CommandLine {
  Config config;
  // Loads the configuration again, from the same flags and environment and the current file. Throws
  // ConfigError. Any thread; copies may outlive load_config's arguments.
  std::function<Config()> load_again;
  // Warnings for the log about ignored input.
  std::vector<std::string> warnings;
  bool list_devices = false;  // synthd --list-devices
  bool healthcheck = false;   // --healthcheck: exit 0 if the running daemon is healthy
  bool done = false;          // --help and the like: answered, exit now
};

// Reads flags, environment and file; answers --help, --version, --check-config and --print-config on `out`.
// `environment` has the form of environ. Throws ConfigError.
CommandLine load_config(Daemon daemon, int argc, const char* const* argv, const char* const* environment,
                        std::ostream& out);

// The keys that differ, as "section.key", in the order of the table. Excludes the stations and the three keys
// of [synthd] that describe the only one: compare Config::stations instead.
std::vector<std::string> changed_keys(const Config& a, const Config& b);

// The default auralis.toml, which is installed: explains every key, with the defaults and an example
// [[station]] commented out. --print-config prints it if nothing is set.
std::string default_config_file();

}  // namespace auralis
