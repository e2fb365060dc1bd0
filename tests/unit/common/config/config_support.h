// SPDX-License-Identifier: MIT
// Loads a configuration from sources that a test writes down.
#pragma once

#include "common/config/load_config.h"
#include "tests/unit/common/support.h"

#include <sstream>
#include <string>
#include <vector>

namespace auralis::test {

struct Sources {
  Daemon daemon = Daemon::kStreamd;
  std::vector<std::string> flags;
  std::vector<std::string> environment;
  std::string file;  // text of auralis.toml
};

// Never reads the machine's own /etc/auralis/auralis.toml: a file is always given.
class ConfigFixture {
 public:
  CommandLine load(const Sources& sources) {
    write_file(path(), sources.file);
    std::vector<const char*> argv{"program", "--config", path_.c_str()};
    for (const auto& flag : sources.flags) argv.push_back(flag.c_str());
    std::vector<const char*> environment;
    for (const auto& entry : sources.environment) environment.push_back(entry.c_str());
    environment.push_back(nullptr);
    out_.str("");
    return load_config(sources.daemon, static_cast<int>(argv.size()), argv.data(), environment.data(), out_);
  }

  // The message of the ConfigError, the file's path shortened to "auralis.toml".
  std::string refusal(const Sources& sources) {
    try {
      load(sources);
    } catch (const ConfigError& error) {
      std::string message = error.what();
      if (message.rfind(path_, 0) == 0) message.replace(0, path_.size(), "auralis.toml");
      return message;
    }
    return "not refused";
  }

  std::string path() const { return path_; }
  std::string out() const { return out_.str(); }

 private:
  TempDir dir_;
  std::string path_ = dir_.path() / "auralis.toml";
  std::ostringstream out_;
};

}  // namespace auralis::test
