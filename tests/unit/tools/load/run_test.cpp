// SPDX-License-Identifier: MIT
// Steps of a run before it measures. A whole run, against streamd, is load_test.py's.
#include "tools/load/run.h"

#include "tests/unit/tools/load/scripted_server.h"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <stdexcept>

namespace auralis::load_run_test {

using namespace test;

namespace {

LoadOptions options_for(const std::string& port) {
  LoadOptions options;
  options.url.host = "127.0.0.1";
  options.url.port = port;
  options.url.target = "/ws/stream";
  options.protocol = "auralis.pcm.v1";
  options.listeners = 3;
  options.ramp = 1'000;
  options.seconds = 60;
  return options;
}

}  // namespace

TEST_CASE("a run that no listener can join ends at once, and says why") {
  ScriptedServer server;
  const LoadOptions options = options_for(server.port());
  server.stop_accepting();
  const LoadResult result = LoadRun(options).run();
  CHECK(result.tally.started == 3);
  CHECK(result.tally.failed.at("Connection refused") == 3);
  CHECK(result.measured_s == 0);
}

TEST_CASE("a host that has no address is an error") {
  LoadOptions options = options_for("80");
  options.url.host = "256.0.0.1";
  CHECK_THROWS_AS(LoadRun{options}, std::runtime_error);
}

TEST_CASE("a server process that does not exist is an error, before any connection") {
  const pid_t ended = ::fork();
  if (ended == 0) ::_exit(0);
  REQUIRE(ended > 0);
  ::waitpid(ended, nullptr, 0);
  LoadOptions options = options_for("80");
  options.server = ended;
  CHECK_THROWS_WITH_AS(LoadRun{options}, doctest::Contains("there is no process"), std::runtime_error);
}

}  // namespace auralis::load_run_test
