// SPDX-License-Identifier: MIT
#include "common/config/config_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <variant>

namespace auralis::config_table_test {
namespace {

constexpr std::array<Daemon, 3> kDaemons{Daemon::kSynthd, Daemon::kStreamd, Daemon::kMetricsd};

TEST_CASE("config_table: no two have the same name, environment variable, or flag of one daemon") {
  std::set<std::string> names;
  std::set<std::string> variables;
  for (const ConfigKey& key : config_keys()) {
    CHECK_MESSAGE(names.insert(std::string(key.section) + "." + std::string(key.key)).second, key.key);
    CHECK_MESSAGE(variables.insert(key.variable()).second, key.variable());
  }
  for (const Daemon daemon : kDaemons) {
    std::set<std::string> flags;
    for (const ConfigKey& key : config_keys()) {
      const std::string flag = key.flag(daemon);
      if (!flag.empty()) CHECK_MESSAGE(flags.insert(flag).second, flag);
    }
    CHECK(flags.size() > 5);
  }
}

TEST_CASE("config_table: no two set the same field") {
  Config config;
  std::set<const void*> fields;
  for (const ConfigKey& key : config_keys()) {
    if (const auto* number = std::get_if<ConfigKey::IntegerField>(&key.field))
      CHECK_MESSAGE(fields.insert(&(*number)(config)).second, key.key);
    if (const auto* text = std::get_if<ConfigKey::TextField>(&key.field))
      CHECK_MESSAGE(fields.insert(&(*text)(config)).second, key.key);
  }
  CHECK(fields.size() + 2 == config_keys().size());  // engine and control_by are enumerations
}

TEST_CASE("config_table: each default is allowed, and each key is explained") {
  for (const ConfigKey& key : config_keys()) {
    Config config;
    CHECK_MESSAGE(key.set(config, key.get(Config())), key.key);
    CHECK_MESSAGE(!key.help.empty(), key.key);
    CHECK_MESSAGE(key.help.back() != '.', key.key);
    CHECK_MESSAGE(!key.rule.allowed.empty(), key.key);
  }
}

TEST_CASE("station_keys: each name is unique, each default allowed, and preset comes before its controls") {
  std::set<std::string_view> names;
  for (const StationKey& key : station_keys()) {
    CHECK_MESSAGE(names.insert(key.key).second, key.key);
    StationConfig station;
    if (key.key != "name") CHECK_MESSAGE(key.set(station, key.get(station)), key.key);
    CHECK_MESSAGE(!key.help.empty(), key.key);
  }
  const auto place = [](std::string_view name) {
    const auto& keys = station_keys();
    return std::find_if(keys.begin(), keys.end(), [&](const StationKey& key) { return key.key == name; });
  };
  for (const char* control : {"key", "mode", "bpm", "intensity", "melody"}) {
    REQUIRE_MESSAGE(place(control) != station_keys().end(), control);
    CHECK_MESSAGE(place("preset") < place(control), control);
  }
}

}  // namespace
}  // namespace auralis::config_table_test
