// SPDX-License-Identifier: MIT
#include "tools/probe/options.h"

#include "tests/unit/support.h"
#include "tools/arguments.h"

#include <doctest/doctest.h>

#include <sstream>

namespace auralis::probe_options_test {
namespace {

ProbeOptions parsed(std::vector<const char*> words, std::vector<const char*> environment = {}) {
  words.insert(words.begin(), "auralis-probe");
  environment.push_back(nullptr);
  std::ostringstream out;
  return parse_probe_options(static_cast<int>(words.size()), words.data(), environment.data(), out).value();
}

std::string refusal(const std::vector<const char*>& words) {
  try {
    parsed(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("options have defaults and ranges") {
  const ProbeOptions usual = parsed({"ws://a"});
  CHECK(usual.url.target == "/ws/stream");
  CHECK(usual.format == WireFormat::kPcm);
  CHECK(usual.strictness == Strictness::kExact);
  CHECK(usual.seconds == 5);
  CHECK_FALSE(usual.json);
  const ProbeOptions given = parsed({"ws://a", "--format", "opus", "--seconds", "2.5", "--json"});
  CHECK(given.format == WireFormat::kOpus);
  CHECK(given.seconds == 2.5);
  CHECK(given.json);
  CHECK(parsed({"ws://a", "--compare", "close"}).strictness == Strictness::kClose);
  CHECK(refusal({"ws://a", "--seconds", "0"}).find("--seconds 0: must be") == 0);
  CHECK(refusal({"ws://a", "--format", "mp3"}).find("pcm or opus") != std::string::npos);
  CHECK(refusal({"ws://a", "--format", "opus", "--compare", "close"}).find("--compare") == 0);
}

TEST_CASE("a station joins the query") {
  CHECK(parsed({"ws://a", "--station", "night"}).url.target == "/ws/stream?station=night");
  CHECK(parsed({"ws://a/b/ws/stream?ticket=x", "--station", "night"}).url.target ==
        "/b/ws/stream?ticket=x&station=night");
  CHECK(refusal({"ws://a?station=day", "--station", "night"}).find("--station") == 0);
  CHECK(refusal({"ws://a?ticket=x&station=day", "--station", "night"}).find("--station") == 0);
  CHECK(refusal({"ws://a", "--station", "a b"}).find("--station") == 0);
}

TEST_CASE("a URL must be that of a server's stream") {
  CHECK(refusal({}).find("URL") != std::string::npos);
  CHECK(refusal({"http://a/ws/stream"}).find("ws://") != std::string::npos);
  CHECK(refusal({"ws://a/listen"}).find("/ws/stream") != std::string::npos);
  CHECK_FALSE(refusal({"ws://a", "ws://b"}).empty());
}

TEST_CASE("a result is published where the daemons are, and under the name of a configured station only") {
  CHECK_FALSE(parsed({"ws://a"}).publish);
  const char* const variable = "AURALIS_RUNTIME_DIR=/dev/shm/x";
  const auto usual = parsed({"ws://a", "--publish", "--config", "/dev/null"}, {variable}).publish;
  REQUIRE(usual);
  CHECK(usual->folder == "/dev/shm/x/probe");
  CHECK(usual->station == "default");

  const test::TempDir folder;
  const std::string file = folder.path() / "auralis.toml";
  test::write_file(file, "[[station]]\nname = \"day\"\n[[station]]\nname = \"night\"\n");
  const auto station = [&](const char* url) {
    return parsed({url, "--publish", "--config", file.c_str()}).publish->station;
  };
  CHECK(station("ws://a") == "day");
  CHECK(station("ws://a?ticket=x") == "day");
  CHECK(station("ws://a?station=night") == "night");
  CHECK(station("ws://a?ticket=x&station=night&lead_ms=1") == "night");
  for (const char* const url : {"ws://a?station=new", "ws://a?station=p0123456789abcdef"})
    CHECK(refusal({url, "--publish", "--config", file.c_str()}).find("not a configured station") !=
          std::string::npos);
  CHECK(refusal({"ws://a", "--config", file.c_str()}) == "--config needs --publish");
  CHECK(refusal({"ws://a", "--runtime-dir", "/tmp"}) == "--runtime-dir needs --publish");
}

TEST_CASE("--help and --version are answered") {
  for (const char* flag : {"--help", "--version"}) {
    const char* const words[] = {"auralis-probe", flag};
    const char* const environment[] = {nullptr};
    std::ostringstream out;
    CHECK_FALSE(parse_probe_options(2, words, environment, out));
    CHECK(out.str().find("auralis-probe") != std::string::npos);
  }
}

}  // namespace auralis::probe_options_test
