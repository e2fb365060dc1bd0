// SPDX-License-Identifier: MIT
#include "common/config/config_key.h"

#include "common/config/config_keys.h"
#include "common/config/config_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace auralis::config_key_test {
namespace {

constexpr std::array<Daemon, 3> kDaemons{Daemon::kSynthd, Daemon::kStreamd, Daemon::kMetricsd};

bool is_of(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

const ConfigKey& key_of(const std::vector<ConfigKey>& keys, std::string_view name) {
  return *std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.key == name; });
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
}  // namespace auralis::config_key_test
