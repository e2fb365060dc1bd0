// SPDX-License-Identifier: MIT
#include "common/config/config_key.h"

#include <algorithm>
#include <charconv>

namespace auralis {
namespace {

std::string with_prefix(std::string_view prefix, std::string_view section, std::string_view key,
                        char separator) {
  std::string name(prefix);
  if (!section.empty()) name.append(section) += separator;
  return name.append(key);
}

}  // namespace

std::string ConfigKey::flag(Daemon daemon) const {
  const bool shared = section == "runtime" || section == "audio" || section == "log";
  if (!shared && section != daemon_name(daemon)) return {};
  std::string name = with_prefix("--", shared ? section : std::string_view(), key, '-');
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string ConfigKey::variable() const {
  std::string name = with_prefix("auralis_", section, key, '_');
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return 'a' <= c && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

ConfigValue ConfigKey::get(const Config& config) const {
  if (const auto* choice = std::get_if<ChoiceField>(&field)) return std::string(choice->get(config));
  Config copy = config;
  if (is_integer()) return std::get<IntegerField>(field)(copy);
  return std::get<TextField>(field)(copy);
}

bool ConfigKey::is_of_its_type(const ConfigValue& value) const {
  return is_integer() ? std::holds_alternative<std::int64_t>(value)
                      : std::holds_alternative<std::string>(value);
}

bool ConfigKey::set(Config& config, const ConfigValue& value) const {
  if (!is_of_its_type(value) || !rule.admits(value)) return false;
  if (is_integer()) {
    std::get<IntegerField>(field)(config) = std::get<std::int64_t>(value);
  } else if (const auto* choice = std::get_if<ChoiceField>(&field)) {
    choice->put(config, std::get<std::string>(value));
  } else {
    std::get<TextField>(field)(config) = std::get<std::string>(value);
  }
  return true;
}

bool ConfigKey::set_text(Config& config, std::string_view input) const {
  if (!is_integer()) return set(config, std::string(input));
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(input.data(), input.data() + input.size(), number);
  return error == std::errc() && end == input.data() + input.size() && set(config, number);
}

}  // namespace auralis
