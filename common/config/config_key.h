// SPDX-License-Identifier: MIT
// A key of the configuration: its name, meaning and allowed values.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "common/config/config.h"

namespace auralis {

using ConfigValue = std::variant<std::int64_t, std::string, double, bool>;

// The allowed values of a key.
struct ConfigRule {
  std::string allowed;                             // completes "must be ..."
  std::function<bool(const ConfigValue&)> admits;  // called with values of the key's type only
};

struct ConfigKey {
  using IntegerField = std::int64_t& (*)(Config&);
  using TextField = std::string& (*)(Config&);
  // An enumeration with named values.
  struct ChoiceField {
    std::string_view (*get)(const Config&);
    void (*put)(Config&, std::string_view);  // a name admitted by the rule
  };

  std::string_view section;
  std::string_view key;
  std::variant<IntegerField, TextField, ChoiceField> field;
  ConfigRule rule;
  std::string_view help;  // with the unit

  bool is_integer() const { return std::holds_alternative<IntegerField>(field); }
  bool is_of_its_type(const ConfigValue& value) const;

  // "--port" or "--audio-chunk-ms"; empty if the daemon does not have it.
  std::string flag(Daemon daemon) const;
  // "AURALIS_STREAMD_PORT"
  std::string variable() const;

  ConfigValue get(const Config& config) const;
  // False, and nothing set, where the value is of another type or not allowed.
  bool set(Config& config, const ConfigValue& value) const;
  // As set(), from the text of a flag or an environment variable.
  bool set_text(Config& config, std::string_view text) const;
};

// A key of [[station]], in the file only: a variable or flag could not say which station it is for.
struct StationKey {
  std::string_view key;
  ConfigRule rule;
  std::string_view help;  // with the unit
  std::function<ConfigValue(const StationConfig&)> get;
  std::function<void(StationConfig&, const ConfigValue&)> put;  // of its type, and admitted
  std::string default_text;  // completes "Default "; empty: a control, which the preset sets, or the name

  // Whether the type matches; an integer is also accepted for a number.
  bool is_of_its_type(const ConfigValue& value) const;
  // False, and nothing set, where the value is of another type or not allowed.
  bool set(StationConfig& station, const ConfigValue& value) const;
};

}  // namespace auralis
