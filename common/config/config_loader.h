// SPDX-License-Identifier: MIT
// Builds a Config from its sources, added in rising precedence, and records where each value came from, so
// that an error names the place to fix.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"

namespace auralis {

// Where the units of systemd keep the segments.
inline constexpr const char* kSystemRuntimeDir = "/run/auralis";

// All throw ConfigError.
class ConfigLoader {
 public:
  ConfigLoader();

  // Reads and checks the whole file, all sections. A missing file is an error only if `required`.
  void read_file(const std::string& path, bool required);

  // Reads every AURALIS_* variable that is not empty; `environment` has the form of environ. Ignores service
  // links (service_link.h), with a warning.
  void read_environment(const char* const* environment);

  // Sets a flag's value; `key` is an index into config_keys().
  void set_flag(std::size_t key, const std::string& flag, const std::string& text);

  // Checks across keys. Call after all sources.
  void check_together() const;

  // Describes the only station by the keys of [synthd] if there is no [[station]]. Call after
  // check_together().
  void resolve_stations();

  // Finds a folder for the segments if none was given.
  void resolve_runtime_dir(const char* const* environment);

  const Config& config() const { return config_; }
  // The file that was read; empty if none was.
  const std::string& file() const { return file_; }
  // Sentences about ignored input.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  // Sets `value`, or throws an error that says why not; `place` names its source and quotes it.
  void set_text(std::size_t key, std::string place, std::string_view text);
  void check_access() const;
  void check_tls(std::string_view section, const std::string& certificate, const std::string& key) const;
  void check_stations() const;
  bool given(std::string_view section, std::string_view name) const;
  [[noreturn]] void refuse(std::string_view section, std::string_view name, const std::string& why) const;

  Config config_;
  std::string file_;
  std::vector<std::string> warnings_;
  std::vector<std::string> places_;  // per key; empty: default
  std::string station_place_;        // "auralis.toml:7", of the first [[station]]; empty: there is none
};

}  // namespace auralis
