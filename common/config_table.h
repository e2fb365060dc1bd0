// SPDX-License-Identifier: MIT
// The table behind config.h: what a key is called, what it means and what it may be.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/config.h"

namespace auralis {

using ConfigValue = std::variant<std::int64_t, std::string>;

// What a key may be set to.
struct ConfigRule {
  std::string allowed;  // completes "must be ..."
  std::function<bool(const ConfigValue&)> admits;
};

struct ConfigKey {
  using IntegerField = std::int64_t& (*)(Config&);
  using TextField = std::string& (*)(Config&);

  std::string_view section;
  std::string_view key;
  std::variant<IntegerField, TextField> field;
  ConfigRule rule;
  std::string_view help;  // with the unit

  bool is_integer() const { return std::holds_alternative<IntegerField>(field); }

  // "--port" or "--audio-chunk-ms"; empty where the daemon does not take it.
  std::string flag(Daemon daemon) const;
  // "AURALIS_STREAMD_PORT"
  std::string variable() const;

  ConfigValue get(const Config& config) const;
  // False, and nothing set, where the value is of another type or not allowed.
  bool set(Config& config, const ConfigValue& value) const;
  // As set(), from the text of a flag or an environment variable.
  bool set_text(Config& config, std::string_view text) const;
};

const std::vector<ConfigKey>& config_keys();

// In the order of the table.
std::vector<std::string_view> config_sections();

// A value as auralis.toml writes it.
std::string to_toml(const ConfigValue& value);

}  // namespace auralis
