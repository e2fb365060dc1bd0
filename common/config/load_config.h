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
  // Loads the configuration again from the same flags and environment and from the file as it is by then.
  // Throws ConfigError. Any thread, and copies of it outlive what load_config was given.
  std::function<Config()> load_again;
  // Sentences for the log about what was passed over; not errors.
  std::vector<std::string> warnings;
  bool list_devices = false;  // synthd --list-devices
  bool healthcheck = false;   // --healthcheck: exit 0 if the running daemon is healthy
  bool done = false;          // --help and the like: answered, nothing more to do
};

// Reads flags, environment and file; answers --help, --version, --check-config and --print-config on `out`.
// `environment` is as environ. Throws ConfigError.
CommandLine load_config(Daemon daemon, int argc, const char* const* argv, const char* const* environment,
                        std::ostream& out);

// The keys that differ, as "section.key", in the order of the table. Left out are the stations, and with them
// the three keys of [synthd] that describe the only one: Config::stations says what has become of those.
std::vector<std::string> changed_keys(const Config& a, const Config& b);

// auralis.toml as it is installed, every key explained, and commented out with its default, and a [[station]]
// for an example, commented out, too; --print-config prints it where nothing is set.
std::string default_config_file();

}  // namespace auralis
