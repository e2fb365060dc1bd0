// SPDX-License-Identifier: MIT
// A key of the configuration: what it is called, what it means and what it may be.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "common/config/config.h"

namespace auralis {

using ConfigValue = std::variant<std::int64_t, std::string, double, bool>;

// What a key may be set to.
struct ConfigRule {
  std::string allowed;                             // completes "must be ..."
  std::function<bool(const ConfigValue&)> admits;  // asked for values of the key's type only
};

struct ConfigKey {
  using IntegerField = std::int64_t& (*)(Config&);
  using TextField = std::string& (*)(Config&);
  // An enumeration, whose values have names.
  struct ChoiceField {
    std::string_view (*get)(const Config&);
    void (*put)(Config&, std::string_view);  // a name that the rule admits
  };

  std::string_view section;
  std::string_view key;
  std::variant<IntegerField, TextField, ChoiceField> field;
  ConfigRule rule;
  std::string_view help;  // with the unit

  bool is_integer() const { return std::holds_alternative<IntegerField>(field); }
  bool is_of_its_type(const ConfigValue& value) const;

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

// A key of [[station]], which is in the file alone: neither a variable nor a flag could say of which station.
struct StationKey {
  std::string_view key;
  ConfigRule rule;
  std::string_view help;  // with the unit
  std::function<ConfigValue(const StationConfig&)> get;
  std::function<void(StationConfig&, const ConfigValue&)> put;  // of its type, and admitted
  std::string default_text;  // completes "Default "; empty: a control, which the preset sets, or the name

  // A number may be written as an integer.
  bool is_of_its_type(const ConfigValue& value) const;
  // False, and nothing set, where the value is of another type or not allowed.
  bool set(StationConfig& station, const ConfigValue& value) const;
};

}  // namespace auralis
