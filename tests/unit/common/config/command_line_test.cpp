// SPDX-License-Identifier: MIT
#include "common/config/command_line.h"

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace auralis::command_line_test {
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

TEST_CASE("a valid command line is parsed without an error") {
  const Parsed parsed = parse({"--port", "80"});
  CHECK(parsed.port == 80);
  CHECK(parsed.problem.empty());
  CHECK(parse({}).problem.empty());
}

TEST_CASE("an unknown option is named, with a hint to --help") {
  CHECK(parse({"--prot", "80"}).problem == "--prot: unknown option; --help lists them");
}

TEST_CASE("an unexpected plain argument gives the application's error, quoted its way") {
  CHECK(parse({"a.wav"}).problem == "a.wav: one file at a time");
  CHECK(parse({""}).problem == ": one file at a time");
  CHECK(parse({"a b"}, [](const std::string& text) { return "'" + text + "'"; }).problem ==
        "'a b': one file at a time");
}

TEST_CASE("a value that cannot be parsed is rejected, with a hint to --help") {
  const std::string problem = parse({"--port", "many"}).problem;
  CHECK(problem.find("--port") != std::string::npos);
  CHECK(problem.find("; --help lists the options") != std::string::npos);
}

}  // namespace auralis::command_line_test
