// SPDX-License-Identifier: MIT
// Puts a Config together from its sources, which are to be given in rising precedence, and remembers where
// each value came from, so that an error names the place to mend.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"

namespace auralis {

// All throw ConfigError.
class ConfigLoader {
 public:
  ConfigLoader();

  // Checks the whole file, all sections. One that is not there is an error only if `required`.
  void read_file(const std::string& path, bool required);

  // Every AURALIS_* variable that is not empty; `environment` is as environ. Service links (service_link.h)
  // are passed over, with a warning.
  void read_environment(const char* const* environment);

  // `key` is an index into config_keys().
  void set_flag(std::size_t key, const std::string& flag, const std::string& text);

  // What no key can be checked for alone. After all sources.
  void check_together() const;

  // Describes the only station by the keys of [synthd] if no [[station]] was given. After check_together().
  void resolve_stations();

  // Finds a folder for the segments if none was given.
  void resolve_runtime_dir(const char* const* environment);

  const Config& config() const { return config_; }
  // The file that was read; empty if none was.
  const std::string& file() const { return file_; }
  // Sentences about what was passed over.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  // Accepts `value` or says why not; `place` is where it stands, and what stands there.
  void set_text(std::size_t key, std::string place, std::string_view text);
  void check_access() const;
  void check_stations() const;
  [[noreturn]] void refuse(std::string_view section, std::string_view name, const std::string& why) const;

  Config config_;
  std::string file_;
  std::vector<std::string> warnings_;
  std::vector<std::string> places_;  // a key; empty: its default
  std::string station_place_;        // "auralis.toml:7" of the first [[station]]; empty: there is none
};

}  // namespace auralis
