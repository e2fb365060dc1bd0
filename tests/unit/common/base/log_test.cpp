// SPDX-License-Identifier: MIT
#include "common/base/log.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <regex>
#include <sstream>
#include <thread>
#include <vector>

namespace auralis::log_test {
namespace {

using test::Pipe;
using test::StderrTo;

// Returns what a log writes to a pipe while `body` runs.
std::string logged(LogLevel level, LogFormat format, const std::function<void()>& body) {
  Pipe pipe;
  {
    const StderrTo redirected(pipe.write_end());
    const Log log("echod", level, format);
    body();
  }
  return pipe.drain();
}

std::vector<nlohmann::json> json_lines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

// Fills the pipe to the last byte; a writer that does not check then blocks.
void stall(const Pipe& pipe) {
  const int flags = fcntl(pipe.write_end(), F_GETFL);
  fcntl(pipe.write_end(), F_SETFL, flags | O_NONBLOCK);
  const std::string block(4'096, '.');
  for (std::size_t size = block.size(); size > 0; size /= 2) {
    while (write(pipe.write_end(), block.data(), size) > 0) {
    }
  }
  fcntl(pipe.write_end(), F_SETFL, flags);
}

TEST_CASE("a JSON line is one object: time, level, process, message, and the fields beside them") {
  const auto lines = json_lines(logged(LogLevel::kDebug, LogFormat::kJson, [] {
    log_debug("plain");
    log_info(
        "started",
        {{"port", std::int64_t{8'000}}, {"load", 0.5}, {"ready", true}, {"station", std::string("night")}});
    log_warning("late");
    log_error("gone");
  }));
  REQUIRE(lines.size() == 4);
  for (const auto& line : lines) {
    CHECK(line.at("process") == "echod");
    CHECK(std::regex_match(line.at("time").get<std::string>(),
                           std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
  }
  CHECK(lines[0].size() == 4);
  CHECK(lines[0].at("level") == "debug");
  CHECK(lines[0].at("message") == "plain");
  CHECK(lines[1].at("level") == "info");
  CHECK(lines[1].at("port") == 8'000);
  CHECK(lines[1].at("load") == 0.5);
  CHECK(lines[1].at("ready") == true);
  CHECK(lines[1].at("station") == "night");
  CHECK(lines[2].at("level") == "warning");
  CHECK(lines[3].at("level") == "error");
}

TEST_CASE("a JSON line stays one valid line, whatever its text") {
  const std::string nasty = "quote \" backslash \\ newline \n tab \t bell \a brace {} percent %v end";
  const auto lines = json_lines(logged(LogLevel::kInfo, LogFormat::kJson, [&] {
    log_info(nasty, {{"field", nasty}});
    log_info("bytes \xff\xfe",
             {{"\xff", std::string("\xc3")}, {"value", std::numeric_limits<double>::quiet_NaN()}});
  }));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].at("message") == nasty);
  CHECK(lines[0].at("field") == nasty);
  CHECK(lines[1].at("message") == "bytes \xef\xbf\xbd\xef\xbf\xbd");
  CHECK(lines[1].at("\xef\xbf\xbd") == "\xef\xbf\xbd");
  CHECK(lines[1].at("value").is_null());
}

TEST_CASE("a text line reads time, level, process, message, fields") {
  const std::string text = logged(LogLevel::kInfo, LogFormat::kText, [] {
    log_info(
        "started",
        {{"port", std::int64_t{8'000}}, {"load", 0.5}, {"ready", true}, {"station", std::string("night")}});
  });
  const std::regex form(
      R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info    echod: started port=8000 load=0\.5 ready=true)"
      " station=night\n");
  CHECK_MESSAGE(std::regex_match(text, form), text);
}

TEST_CASE("a text line stays one line, and a value that is not one word is quoted") {
  const std::string text = logged(LogLevel::kInfo, LogFormat::kText, [] {
    log_info("first\nsecond {}",
             {{"a", std::string("two words")}, {"b", std::string("x\ny")}, {"c", std::string()}});
  });
  CHECK(text.substr(text.find("echod")) == "echod: first second {} a=\"two words\" b=\"x\\ny\" c=\"\"\n");
}

TEST_CASE("messages below the level are not written") {
  const std::string text = logged(LogLevel::kWarning, LogFormat::kText, [] {
    log_debug("one");
    log_info("two");
    log_warning("three");
    log_error("four");
  });
  CHECK(text.find("one") == std::string::npos);
  CHECK(text.find("two") == std::string::npos);
  CHECK(text.find("three") != std::string::npos);
  CHECK(text.find("four") != std::string::npos);
}

TEST_CASE("auto is JSON, without colour, if standard error is not a terminal") {
  const std::string text = logged(LogLevel::kInfo, LogFormat::kAuto, [] { log_info("started"); });
  CHECK(json_lines(text).size() == 1);
  CHECK(logged(LogLevel::kInfo, LogFormat::kText, [] { log_info("started"); }).find('\x1b') ==
        std::string::npos);
}

TEST_CASE("auto is text on a terminal, the level in colour") {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(terminal >= 0);
  REQUIRE(grantpt(terminal) == 0);
  REQUIRE(unlockpt(terminal) == 0);
  const int slave = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(slave >= 0);
  {
    const StderrTo redirected(slave);
    const Log log("echod", LogLevel::kInfo, LogFormat::kAuto);
    log_warning("late");
  }
  std::array<char, 256> buffer{};
  const ssize_t bytes = read(terminal, buffer.data(), buffer.size());
  REQUIRE(bytes > 0);
  CHECK(std::string(buffer.data(), static_cast<std::size_t>(bytes))
            .find(" \x1b[33mwarning\x1b[0m echod: late\r\n") != std::string::npos);
  close(slave);
  close(terminal);
}

TEST_CASE("a log can be a file or a socket, such as the journal's") {
  const test::TempDir dir;
  const auto path = dir.path() / "log";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(write(file, "before\n", 7) == 7);
  std::array<int, 2> sockets{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) == 0);
  for (const int target : {file, sockets[0]}) {
    const StderrTo redirected(target);
    const Log log("echod", LogLevel::kInfo, LogFormat::kText);
    log_info("here");
  }
  close(file);
  close(sockets[0]);
  std::array<char, 256> buffer{};
  const ssize_t bytes = read(sockets[1], buffer.data(), buffer.size());
  REQUIRE(bytes > 0);
  CHECK(std::string(buffer.data(), static_cast<std::size_t>(bytes)).find("echod: here\n") !=
        std::string::npos);
  close(sockets[1]);
  const std::string text = test::read_file(path);
  CHECK(text.find("before\n") == 0);
  CHECK(text.find("echod: here\n") != std::string::npos);
}

TEST_CASE("with a folder, lines go to files as well, and errors also to their own; as JSON") {
  const test::TempDir dir;
  Pipe pipe;
  {
    const StderrTo redirected(pipe.write_end());
    const Log log("echod", LogLevel::kInfo, LogFormat::kText, {dir.path()});
    log_debug("one");
    log_info("two");
    log_error("three");
  }
  std::string all;
  std::string errors;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    const bool of_errors = entry.path().filename().string().rfind("echod-errors-", 0) == 0;
    (of_errors ? errors : all) += test::read_file(entry.path());  // the test may run over midnight
  }
  REQUIRE(json_lines(all).size() == 2);
  CHECK(json_lines(all).front().at("message") == "two");
  REQUIRE(json_lines(errors).size() == 1);
  CHECK(json_lines(errors).front().at("message") == "three");
  CHECK(pipe.drain().find("info    echod: two\n") != std::string::npos);
}

TEST_CASE("a folder that is missing is one error on standard error, where the log goes on") {
  const test::TempDir dir;
  Pipe pipe;
  {
    const StderrTo redirected(pipe.write_end());
    const Log log("echod", LogLevel::kInfo, LogFormat::kJson, {dir.path() / "none"});
    for (int i = 0; i < 3; ++i) log_info("here");
  }
  const auto lines = json_lines(pipe.drain());
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].at("level") == "error");
  CHECK(lines[0].at("message") == "log file cannot be written, the log is on standard error only");
  CHECK(lines[0].at("file").get<std::string>().find((dir.path() / "none/echod-").string()) == 0);
  CHECK(lines[0].at("error") == "No such file or directory");
  CHECK(lines[3].at("message") == "here");
}

TEST_CASE("a reader of standard error that has stopped keeps no line from the files") {
  const test::TempDir dir;
  Pipe pipe;
  stall(pipe);
  {
    const StderrTo redirected(pipe.write_end());
    const Log log("echod", LogLevel::kInfo, LogFormat::kJson, {dir.path()});
    log_info("here");
  }
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path()))
    all += test::read_file(entry.path());
  CHECK(json_lines(all).size() == 1);
}

TEST_CASE("the level of a log can be changed while it runs, and tells whether a message is worth its work") {
  CHECK_FALSE(logs(LogLevel::kError));
  const std::string text = logged(LogLevel::kWarning, LogFormat::kText, [] {
    CHECK_FALSE(logs(LogLevel::kInfo));
    CHECK(logs(LogLevel::kWarning));
    log_info("one");
    set_log_level(LogLevel::kDebug);
    CHECK(logs(LogLevel::kDebug));
    log_debug("two");
    set_log_level(LogLevel::kError);
    log_warning("three");
    CHECK(log_level() == LogLevel::kError);
  });
  CHECK(text.find("two\n") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK_FALSE(logs(LogLevel::kError));
}

TEST_CASE("messages outside the lifetime of a log are dropped silently") {
  Pipe pipe;
  {
    const StderrTo redirected(pipe.write_end());
    log_error("too early");
    { const Log log("echod", LogLevel::kInfo, LogFormat::kText); }
    log_error("too late");
  }
  CHECK(pipe.drain().empty());
  CHECK(log_messages_dropped() == 0);
}

TEST_CASE("a log can follow another") {
  for (int round = 0; round < 3; ++round) {
    const auto lines = json_lines(logged(LogLevel::kInfo, LogFormat::kJson, [] { log_info("here"); }));
    CHECK(lines.size() == 1);
  }
}

TEST_CASE("all messages of several threads that fit the queue are written, line by line") {
  const auto lines = json_lines(logged(LogLevel::kInfo, LogFormat::kJson, [] {
    std::vector<std::thread> threads;
    for (std::int64_t id = 0; id < 4; ++id) {
      threads.emplace_back([id] {
        for (std::int64_t i = 0; i < 100; ++i) log_info("line", {{"id", id}, {"i", i}});
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(log_messages_dropped() == 0);
  }));
  CHECK(lines.size() == 400);
}

// These prove that nothing waits without end: stuck, they would not come back at all.
TEST_CASE(
    "without a reader of standard error no caller waits, the oldest messages are dropped and counted, and "
    "the log ends") {
  constexpr std::uint64_t kMessages = 20'000;
  constexpr std::uint64_t kQueue = 8'192;
  Pipe pipe;
  stall(pipe);
  std::uint64_t dropped = 0;
  {
    const StderrTo redirected(pipe.write_end());
    const Log log("echod", LogLevel::kInfo, LogFormat::kJson);
    for (std::uint64_t i = 0; i < kMessages; ++i) log_info("line");
    dropped = log_messages_dropped();
  }
  // The writer may hold one more.
  CHECK(dropped >= kMessages - kQueue - 1);
  CHECK(dropped <= kMessages - kQueue);
}

TEST_CASE("a reader that comes back finds the newest messages") {
  Pipe pipe;
  stall(pipe);
  std::string text;
  {
    const StderrTo redirected(pipe.write_end());
    std::optional<Log> log(std::in_place, "echod", LogLevel::kInfo, LogFormat::kText);
    for (std::int64_t i = 0; i < 10'000; ++i) log_info("line", {{"i", i}});
    std::array<char, 65'536> buffer{};
    while (text.find(" i=9999\n") == std::string::npos) {
      const ssize_t bytes = read(pipe.read_end(), buffer.data(), buffer.size());
      REQUIRE(bytes > 0);
      text.append(buffer.data(), static_cast<std::size_t>(bytes));
    }
  }
  CHECK(text.find(" i=9998\n") != std::string::npos);
  CHECK(text.find(" i=1000\n") == std::string::npos);
}

TEST_CASE("a log whose reader is gone keeps running, and ends") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close_read();
  {
    const StderrTo redirected(pipe.write_end());
    const Log log("echod", LogLevel::kInfo, LogFormat::kJson);
    for (int i = 0; i < 100; ++i) log_info("line");
  }
  std::signal(SIGPIPE, before);
}

TEST_CASE("a process that shares standard error still finds it blocking") {
  Pipe pipe;
  const StderrTo redirected(pipe.write_end());
  const Log log("echod", LogLevel::kInfo, LogFormat::kJson);
  log_info("line");
  CHECK((fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK) == 0);
}

}  // namespace
}  // namespace auralis::log_test
