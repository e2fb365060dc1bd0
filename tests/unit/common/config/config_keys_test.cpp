// SPDX-License-Identifier: MIT
#include "common/config/config_keys.h"

#include <doctest/doctest.h>
#include "common/config/config_key.h"

#include <string_view>
#include <vector>

namespace auralis::config_keys_test {
namespace {

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

}  // namespace
}  // namespace auralis::config_keys_test
