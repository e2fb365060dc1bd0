// SPDX-License-Identifier: MIT
#include "common/config/config_table.h"

#include "common/config/config_keys.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace auralis {
namespace {

// Sections in the order of auralis.toml.
std::vector<ConfigKey> make_table() {
  std::vector<ConfigKey> table;
  for (auto make : {runtime_keys, audio_keys, synthd_keys, streamd_keys, metricsd_keys, log_keys}) {
    std::vector<ConfigKey> keys = make();
    std::move(keys.begin(), keys.end(), std::back_inserter(table));
  }
  return table;
}

// The text of a number, with a decimal point even if it is whole, so that TOML does not read an integer.
std::string to_toml_number(double number) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  std::string digits(buffer.data(), end);
  if (digits.find_first_not_of("-0123456789") == std::string::npos) digits += ".0";
  return digits;
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> table = make_table();
  return table;
}

std::size_t config_key_index(std::string_view section, std::string_view key) {
  const auto& keys = config_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& one) {
    return one.section == section && one.key == key;
  });
  return static_cast<std::size_t>(found - keys.begin());
}

std::vector<std::string_view> config_sections() {
  std::vector<std::string_view> sections;
  for (const ConfigKey& key : config_keys()) {
    if (sections.empty() || sections.back() != key.section) sections.push_back(key.section);
  }
  return sections;
}

std::string to_toml(const ConfigValue& value) {
  if (std::holds_alternative<std::int64_t>(value)) return std::to_string(std::get<std::int64_t>(value));
  if (std::holds_alternative<bool>(value)) return std::get<bool>(value) ? "true" : "false";
  if (std::holds_alternative<double>(value)) return to_toml_number(std::get<double>(value));
  // TOML understands JSON's string escapes.
  return nlohmann::json(std::get<std::string>(value))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace auralis
