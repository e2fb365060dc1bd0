// SPDX-License-Identifier: MIT
#include "tools/runtime_options.h"

#include "tests/unit/support.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace auralis::runtime_options_test {
namespace {

using namespace test;

Config config_of(std::vector<const char*> words, std::vector<const char*> environment = {}) {
  words.insert(words.begin(), "tool");
  environment.push_back(nullptr);
  Arguments arguments("A tool.", "tool");
  declare_runtime_options(arguments);
  std::ostringstream out;
  REQUIRE(arguments.parse(static_cast<int>(words.size()), words.data(), out));
  return read_runtime_config(arguments, environment.data());
}

}  // namespace

TEST_CASE("the daemons' configuration is read from flag, environment and file, in that order") {
  const TempDir folder;
  const std::string file = folder.path() / "auralis.toml";
  write_file(file, "[runtime]\ndir = \"/dev/shm/from-file\"\n[[station]]\nname = \"night\"\n");
  const Config config = config_of({"--config", file.c_str()});
  CHECK(config.runtime.dir == "/dev/shm/from-file");
  CHECK(config.stations.front().name == "night");
  const char* const variable = "AURALIS_RUNTIME_DIR=/dev/shm/from-environment";
  CHECK(config_of({"--config", file.c_str()}, {variable}).runtime.dir == "/dev/shm/from-environment");
  CHECK(
      config_of({"--config", file.c_str(), "--runtime-dir", "/dev/shm/from-flag"}, {variable}).runtime.dir ==
      "/dev/shm/from-flag");
  CHECK_THROWS_AS(config_of({"--config", "/nowhere/auralis.toml"}), const ConfigError&);
}

TEST_CASE("the system service is read where the user has no daemons") {
  const TempDir folder;
  const std::string own = folder.path() / "own";
  const std::string system = folder.path() / "system";
  CHECK(runtime_dir_to_use(own, system) == own);
  std::filesystem::create_directory(system);
  CHECK(runtime_dir_to_use(own, system) == system);
  std::filesystem::create_directory(own);
  CHECK(runtime_dir_to_use(own, system) == own);
}

}  // namespace auralis::runtime_options_test
