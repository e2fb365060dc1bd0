// SPDX-License-Identifier: MIT
#include "common/base/log_lines.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace auralis::log_lines_test {
namespace {

using namespace std::chrono_literals;

// 2023-11-14 22:13:20.007 UTC
const auto when = std::chrono::system_clock::time_point(1'700'000'000'007ms);

struct Message {
  std::string members;
  LogRecord record(LogLevel level) const { return {when, level, "echod", members}; }
};

const Message started{json_members(
    "started", {{"port", std::int64_t{8'000}}, {"load", 0.5}, {"ready", true}, {"station", "night"}})};

TEST_CASE("a JSON line is one object: time in UTC, level, process, message, and the fields in their order") {
  CHECK(json_line(started.record(LogLevel::kInfo)) ==
        R"({"time":"2023-11-14T22:13:20.007Z","level":"info","process":"echod","message":"started",)"
        R"("port":8000,"load":0.5,"ready":true,"station":"night"})"
        "\n");
}

TEST_CASE("a text line has the level in a column, in colour if wanted") {
  const std::string plain = text_line(started.record(LogLevel::kWarning), false);
  const std::string form = " warning echod: started port=8000 load=0.5 ready=true station=night\n";
  CHECK(plain.substr(plain.find(" warning")) == form);
  CHECK(plain.find(".007 ") == 19);
  const std::string coloured = text_line(started.record(LogLevel::kError), true);
  CHECK(coloured.find(" \x1b[31merror\x1b[0m   echod: started ") != std::string::npos);
}

TEST_CASE("an entry of the journal has the message with its fields, the priority, and each field") {
  CHECK(journal_entry(started.record(LogLevel::kWarning)) ==
        "MESSAGE=started port=8000 load=0.5 ready=true station=night\n"
        "PRIORITY=4\n"
        "SYSLOG_IDENTIFIER=echod\n"
        "PORT=8000\n"
        "LOAD=0.5\n"
        "READY=true\n"
        "STATION=night\n");
}

TEST_CASE("a field of the journal with a line feed is preceded by its length, so that no text adds a field") {
  const Message message{json_members("asked\nPRIORITY=0", {{"path", std::string("/a\nSTATION=b")}})};
  using namespace std::string_literals;
  CHECK(journal_entry(message.record(LogLevel::kInfo)) ==
        "MESSAGE=asked PRIORITY=0 path=\"/a\\nSTATION=b\"\n"
        "PRIORITY=6\n"
        "SYSLOG_IDENTIFIER=echod\n"
        "PATH\n"
        "\x0c\0\0\0\0\0\0\0/a\nSTATION=b\n"s);
}

TEST_CASE("a field's name becomes one that the journal takes") {
  const Message message{json_members("m", {{"_pid", true}, {"2 fast-x", true}, {"_", true}})};
  const std::string entry = journal_entry(message.record(LogLevel::kInfo));
  CHECK(entry.substr(entry.find("echod\n")) == "echod\nPID=true\nFAST_X=true\n");
}

TEST_CASE("each level has the priority that journalctl -p selects by") {
  CHECK(journal_prefix(LogLevel::kDebug) == "<7>");
  CHECK(journal_prefix(LogLevel::kInfo) == "<6>");
  CHECK(journal_prefix(LogLevel::kWarning) == "<4>");
  CHECK(journal_prefix(LogLevel::kError) == "<3>");
}

TEST_CASE("a date is the one in UTC") { CHECK(utc_date(when) == "2023-11-14"); }

}  // namespace
}  // namespace auralis::log_lines_test
