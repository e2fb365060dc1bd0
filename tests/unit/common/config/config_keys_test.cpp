// SPDX-License-Identifier: MIT
// The rows of the table of keys, and what a key does with its value.
#include "common/config/config_keys.h"

#include "common/config/config_key.h"
#include "common/config/config_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace auralis::config_keys_test {
namespace {

constexpr std::array<Daemon, 3> kDaemons{Daemon::kSynthd, Daemon::kStreamd, Daemon::kMetricsd};

bool is_of(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

const ConfigKey& key_of(const std::vector<ConfigKey>& keys, std::string_view name) {
  return *std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.key == name; });
}

TEST_CASE("config_keys: each function has the keys of its section") {
  const auto check = [](const std::vector<ConfigKey>& keys, std::string_view section) {
    CHECK_FALSE(keys.empty());
    for (const ConfigKey& key : keys) CHECK_MESSAGE(key.section == section, key.key);
  };
  check(runtime_keys(), "runtime");
  check(audio_keys(), "audio");
  check(synthd_keys(), "synthd");
  check(streamd_keys(), "streamd");
  check(metricsd_keys(), "metricsd");
  check(log_keys(), "log");
}

TEST_CASE("config_keys: no two have the same name, environment variable, or flag of one daemon") {
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

TEST_CASE("config_keys: no two set the same field") {
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

TEST_CASE("config_keys: each default is allowed, and each key is explained") {
  for (const ConfigKey& key : config_keys()) {
    Config config;
    CHECK_MESSAGE(key.set(config, key.get(Config())), key.key);
    CHECK_MESSAGE(!key.help.empty(), key.key);
    CHECK_MESSAGE(key.help.back() != '.', key.key);
    CHECK_MESSAGE(!key.rule.allowed.empty(), key.key);
  }
}

TEST_CASE("ConfigKey: its flag names the section where daemons share it, its variable always") {
  const ConfigKey chunk_ms = key_of(audio_keys(), "chunk_ms");
  for (const Daemon daemon : kDaemons) CHECK(chunk_ms.flag(daemon) == "--audio-chunk-ms");
  CHECK(chunk_ms.variable() == "AURALIS_AUDIO_CHUNK_MS");
  const ConfigKey port = key_of(streamd_keys(), "port");
  CHECK(port.flag(Daemon::kStreamd) == "--port");
  CHECK(port.flag(Daemon::kMetricsd).empty());
  CHECK(port.variable() == "AURALIS_STREAMD_PORT");
  for (const ConfigKey& key : config_keys())
    CHECK_MESSAGE(is_of(key.variable(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), key.variable());
}

TEST_CASE("ConfigKey: sets what is of its type and allowed, and nothing else") {
  const ConfigKey port = key_of(streamd_keys(), "port");
  Config config;
  CHECK(port.set(config, std::int64_t{9'000}));
  CHECK(config.streamd.port == 9'000);
  CHECK_FALSE(port.set(config, std::int64_t{65'536}));
  CHECK_FALSE(port.set(config, "9001"));
  CHECK_FALSE(port.set(config, 9'001.0));
  CHECK(config.streamd.port == 9'000);
  CHECK((port.get(config) == ConfigValue(std::int64_t{9'000})));
}

TEST_CASE("ConfigKey: an integer's text is a whole decimal number") {
  const ConfigKey port = key_of(metricsd_keys(), "port");
  Config config;
  CHECK(port.set_text(config, "80"));
  CHECK(config.metricsd.port == 80);
  for (const char* bad : {"", " 81", "81 ", "+81", "0x51", "81.0", "99999999999999999999"})
    CHECK_FALSE_MESSAGE(port.set_text(config, bad), bad);
  CHECK(config.metricsd.port == 80);
}

TEST_CASE("ConfigKey: an enumeration is set and read by its names") {
  const ConfigKey engine = key_of(synthd_keys(), "engine");
  Config config;
  CHECK(engine.set_text(config, "native"));
  CHECK((config.synthd.engine == EngineChoice::kNative));
  CHECK((engine.get(config) == ConfigValue("native")));
  CHECK_FALSE(engine.set_text(config, "steam"));
  const ConfigKey control_by = key_of(streamd_keys(), "control_by");
  CHECK(control_by.set(config, "operators"));
  CHECK((config.streamd.control_by == ControlBy::kOperators));
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

TEST_CASE("StationKey: a number may be written as an integer, a switch may not") {
  const auto key = [](std::string_view name) -> const StationKey& {
    const auto& keys = station_keys();
    return *std::find_if(keys.begin(), keys.end(), [&](const StationKey& one) { return one.key == name; });
  };
  StationConfig station;
  CHECK(key("bpm").set(station, std::int64_t{50}));
  CHECK(station.parameters.bpm == 50);
  CHECK(key("bpm").set(station, 50.5));
  CHECK_FALSE(key("bpm").set(station, std::int64_t{39}));
  CHECK_FALSE(key("bpm").set(station, "50"));
  CHECK(station.parameters.bpm == 50.5F);
  CHECK_FALSE(key("open").set(station, std::int64_t{1}));
  CHECK(key("open").set(station, true));
  CHECK(station.open);
}

}  // namespace
}  // namespace auralis::config_keys_test
