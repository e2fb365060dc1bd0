// SPDX-License-Identifier: MIT
#include "tools/top/options.h"

#include "tests/unit/support.h"
#include "tools/arguments.h"

#include <doctest/doctest.h>

#include <sstream>

namespace auralis::top_options_test {

using namespace test;

namespace {

TopOptions parsed(std::vector<const char*> words, std::vector<const char*> environment = {}) {
  words.insert(words.begin(), "auralis-top");
  environment.push_back(nullptr);
  std::ostringstream out;
  return parse_top_options(static_cast<int>(words.size()), words.data(), environment.data(), out).value();
}

std::string refusal(const std::vector<const char*>& words) {
  try {
    parsed(words);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("without an output it is a screen, else what is asked for") {
  using Mode = TopOptions::Mode;
  CHECK(parsed({}).mode == Mode::kScreen);
  CHECK(parsed({"--once"}).mode == Mode::kOnce);
  CHECK(parsed({"--json"}).mode == Mode::kJson);
  CHECK(parsed({"--metric", "auralis_up"}).mode == Mode::kMetric);
  CHECK(parsed({"--metric", "auralis_up"}).metric == "auralis_up");
  CHECK(refusal({"--once", "--json"}).find("exclude each other") != std::string::npos);
  CHECK(refusal({"--json", "--metric", "x"}).find("exclude each other") != std::string::npos);
  CHECK(refusal({"--twice"}).find("--twice") == 0);
  CHECK_FALSE(refusal({"surplus"}).empty());
}

TEST_CASE("the runtime folder is the daemons', from flag, environment or file") {
  const TempDir folder;
  const std::string file = folder.path() / "auralis.toml";
  write_file(file, "[runtime]\ndir = \"/dev/shm/from-file\"\n[metricsd]\nport = 1234\n");
  const Config config = parsed({"--config", file.c_str()}).config;
  CHECK(config.runtime.dir == "/dev/shm/from-file");
  CHECK(config.metricsd.port == 1'234);
  const char* const variable = "AURALIS_RUNTIME_DIR=/dev/shm/from-environment";
  CHECK(parsed({"--config", file.c_str()}, {variable}).config.runtime.dir == "/dev/shm/from-environment");
  CHECK(parsed({"--config", file.c_str(), "--runtime-dir", "/dev/shm/from-flag"}, {variable})
            .config.runtime.dir == "/dev/shm/from-flag");
  CHECK(refusal({"--config", "/nowhere/auralis.toml"}).find("/nowhere/auralis.toml") != std::string::npos);
}

TEST_CASE("--help and --version are answered") {
  for (const char* flag : {"--help", "--version"}) {
    const char* const words[] = {"auralis-top", flag};
    const char* const environment[] = {nullptr};
    std::ostringstream out;
    CHECK_FALSE(parse_top_options(2, words, environment, out));
    CHECK(out.str().find("auralis-top") != std::string::npos);
  }
}

}  // namespace auralis::top_options_test
