// SPDX-License-Identifier: MIT
#include "common/config/command_line.h"

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace {

struct Parsed {
  int port = 0;
  std::string problem;
};

Parsed parse(std::vector<const char*> arguments, std::string (*quoted)(const std::string&) = nullptr) {
  CLI::App app("Echoes.", "echod");
  app.allow_extras();
  Parsed parsed;
  app.add_option("--port", parsed.port);
  arguments.insert(arguments.begin(), "echod");
  parsed.problem = auralis::parse_command_line(app, static_cast<int>(arguments.size()), arguments.data(),
                                               quoted, "one file at a time");
  return parsed;
}

}  // namespace

TEST_CASE("a command line that the application takes is parsed, and nothing is wrong with it") {
  const Parsed parsed = parse({"--port", "80"});
  CHECK(parsed.port == 80);
  CHECK(parsed.problem.empty());
  CHECK(parse({}).problem.empty());
}

TEST_CASE("an option that nothing takes is named, and --help offered") {
  CHECK(parse({"--prot", "80"}).problem == "--prot: unknown option; --help lists them");
}

TEST_CASE("a plain argument that nothing takes is answered in the application's words, quoted as it likes") {
  CHECK(parse({"a.wav"}).problem == "a.wav: one file at a time");
  CHECK(parse({""}).problem == ": one file at a time");
  CHECK(parse({"a b"}, [](const std::string& text) { return "'" + text + "'"; }).problem ==
        "'a b': one file at a time");
}

TEST_CASE("a value that cannot be parsed is refused, and --help offered") {
  const std::string problem = parse({"--port", "many"}).problem;
  CHECK(problem.find("--port") != std::string::npos);
  CHECK(problem.find("; --help lists the options") != std::string::npos);
}
