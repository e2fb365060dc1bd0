// SPDX-License-Identifier: MIT
#include "common/base/log_file.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

namespace auralis::log_file_test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto kDay = std::chrono::hours(24);
// 2023-11-14 23:59:59 UTC
const LogFile::Time before_midnight(1'700'006'399s);
const LogFile::Time midnight = before_midnight + 1s;

struct Fixture {
  test::TempDir dir;
  std::vector<std::string> reports;

  LogFile file(int days = 30, const std::string& stem = "echod") {
    return {
        dir.path(), stem, days,
        [this](LogLevel level, std::string_view sentence, const std::string& file, const std::string&) {
          const std::string name = fs::path(file).filename();
          reports.push_back(std::string(log_level_name(level)) + " " + std::string(sentence) + " " + name);
        }};
  }

  // Names, in order.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(dir.path())) all.push_back(entry.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  }

  std::string read(const std::string& name) const { return test::read_file(dir.path() / name); }
};

void log(LogFile& file, LogFile::Time now, const std::string& line) {
  file.begin_day(now);
  file.write(now, line);
}

std::string unzipped(const fs::path& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  std::string text(1'000'000, '\0');
  text.resize(static_cast<std::size_t>(gzread(file, text.data(), static_cast<unsigned>(text.size()))));
  gzclose(file);
  return text;
}

const std::string not_written = "error log file cannot be written, the log is on standard error only ";
const std::string written_again = "info log file is written again ";

TEST_CASE("lines go to the file of their day in UTC, and a former day's file is compressed") {
  Fixture fixture;
  LogFile file = fixture.file();
  log(file, before_midnight - 1s, "a\n");
  log(file, before_midnight, "b\n");
  CHECK(fixture.read("echod-2023-11-14.log") == "a\nb\n");
  log(file, midnight, "c\n");
  CHECK(fixture.names() == std::vector<std::string>{"echod-2023-11-14.log.gz", "echod-2023-11-15.log"});
  CHECK(unzipped(fixture.dir.path() / "echod-2023-11-14.log.gz") == "a\nb\n");
  CHECK(fixture.read("echod-2023-11-15.log") == "c\n");
  CHECK(fixture.reports.empty());
}

TEST_CASE("a restarted daemon continues its day's file, and compresses what it left behind") {
  Fixture fixture;
  for (const std::string line : {"a\n", "b\n"}) {
    LogFile file = fixture.file();
    log(file, before_midnight, line);
  }
  CHECK(fixture.read("echod-2023-11-14.log") == "a\nb\n");
  LogFile file = fixture.file();
  log(file, midnight + 5 * kDay, "c\n");
  CHECK(fixture.names() == std::vector<std::string>{"echod-2023-11-14.log.gz", "echod-2023-11-20.log"});
}

TEST_CASE("files are kept for their days, compressed or not, and others are never touched") {
  for (const int days : {30, 90}) {
    Fixture fixture;
    LogFile file = fixture.file(days);
    test::write_file(fixture.dir.path() / "echod-notes-2020-01-01.log", "");
    test::write_file(fixture.dir.path() / "echod-2020-01-01.log.bak", "");
    test::write_file(fixture.dir.path() / "xechod-2020-01-01.log", "");
    for (int day = 0; day < days; ++day) log(file, before_midnight + day * kDay, "x\n");
    CHECK(static_cast<int>(fixture.names().size()) == days + 3);
    CHECK(fixture.names().front() == "echod-2020-01-01.log.bak");
    CHECK(fixture.names().at(1) == "echod-2023-11-14.log.gz");
    log(file, before_midnight + days * kDay, "x\n");
    CHECK(static_cast<int>(fixture.names().size()) == days + 3);
    CHECK(fixture.names().at(1) == "echod-2023-11-15.log.gz");
  }
}

TEST_CASE("logs of several daemons, and of their errors, share a folder") {
  Fixture fixture;
  LogFile all = fixture.file(2);
  LogFile errors = fixture.file(4, "echod-errors");
  for (int day = 0; day < 4; ++day) {
    log(all, before_midnight + day * kDay, "x\n");
    log(errors, before_midnight + day * kDay, "x\n");
  }
  CHECK(fixture.names() ==
        std::vector<std::string>{"echod-2023-11-16.log.gz", "echod-2023-11-17.log",
                                 "echod-errors-2023-11-14.log.gz", "echod-errors-2023-11-15.log.gz",
                                 "echod-errors-2023-11-16.log.gz", "echod-errors-2023-11-17.log"});
}

TEST_CASE("a clock that is set back continues the current file") {
  Fixture fixture;
  LogFile file = fixture.file();
  log(file, midnight, "a\n");
  log(file, before_midnight, "b\n");
  CHECK(fixture.names() == std::vector<std::string>{"echod-2023-11-15.log"});
}

TEST_CASE("a compressed day is never overwritten") {
  Fixture fixture;
  test::write_file(fixture.dir.path() / "echod-2023-11-14.log.gz", "old");
  LogFile file = fixture.file();
  log(file, before_midnight, "a\n");
  log(file, midnight, "b\n");
  CHECK(fixture.read("echod-2023-11-14.log.gz") == "old");
  CHECK(fixture.read("echod-2023-11-14.log") == "a\n");
}

TEST_CASE("a removed file is created again; a missing folder is one report, and another when it is back") {
  Fixture fixture;
  LogFile file = fixture.file();
  log(file, midnight, "a\n");
  fs::remove(fixture.dir.path() / "echod-2023-11-15.log");
  log(file, midnight, "b\n");
  CHECK(fixture.read("echod-2023-11-15.log") == "b\n");
  CHECK(fixture.reports.empty());

  fs::remove_all(fixture.dir.path());
  log(file, midnight, "c\n");
  log(file, midnight + LogFile::kRetry, "d\n");
  CHECK(fixture.reports == std::vector{not_written + "echod-2023-11-15.log"});
  fs::create_directory(fixture.dir.path());
  log(file, midnight + 2 * LogFile::kRetry, "e\n");
  log(file, midnight + 2 * LogFile::kRetry, "f\n");
  CHECK(fixture.reports ==
        std::vector{not_written + "echod-2023-11-15.log", written_again + "echod-2023-11-15.log"});
  CHECK(fixture.read("echod-2023-11-15.log") == "e\nf\n");
}

TEST_CASE("a file that cannot be opened is not tried at each line") {
  Fixture fixture;
  LogFile file = fixture.file();
  const fs::path path = fixture.dir.path() / "echod-2023-11-15.log";
  fs::create_directory(path);
  log(file, midnight, "a\n");
  CHECK(fixture.reports == std::vector{not_written + "echod-2023-11-15.log"});
  fs::remove(path);
  log(file, midnight + LogFile::kRetry - 1s, "b\n");
  CHECK(fixture.names().empty());
  log(file, midnight + LogFile::kRetry, "c\n");
  CHECK(fixture.read("echod-2023-11-15.log") == "c\n");
}

TEST_CASE("a line that a full disk takes in part is not in the file, and the next one is whole") {
  Fixture fixture;
  LogFile file = fixture.file();
  log(file, midnight, "first\n");
  const auto signal_before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{10, before.rlim_max};  // as a full disk: the write ends in the middle
  setrlimit(RLIMIT_FSIZE, &full);
  log(file, midnight, "second\n");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, signal_before);
  CHECK(fixture.read("echod-2023-11-15.log") == "first\n");
  CHECK(fixture.reports == std::vector{not_written + "echod-2023-11-15.log"});
  log(file, midnight + LogFile::kRetry, "third\n");
  CHECK(fixture.read("echod-2023-11-15.log") == "first\nthird\n");
}

TEST_CASE("a day that cannot be compressed is reported and kept, and the log continues") {
  Fixture fixture;
  LogFile file = fixture.file();
  log(file, before_midnight, "a\n");
  const fs::path part = fixture.dir.path() / "echod-2023-11-14.log.gz.part";
  fs::create_directories(part / "in the way");
  log(file, midnight, "b\n");
  CHECK(fixture.reports ==
        std::vector<std::string>{"error log file of a former day cannot be compressed echod-2023-11-14.log"});
  CHECK(fixture.read("echod-2023-11-14.log") == "a\n");
  CHECK(fixture.read("echod-2023-11-15.log") == "b\n");
}

TEST_CASE("a log file is for its owner and group, and never follows a link") {
  Fixture fixture;
  LogFile file = fixture.file();
  fs::create_symlink(fixture.dir.path() / "elsewhere", fixture.dir.path() / "echod-2023-11-14.log");
  log(file, before_midnight, "a\n");
  CHECK_FALSE(fs::exists(fixture.dir.path() / "elsewhere"));
  log(file, midnight, "b\n");
  struct stat status {};
  REQUIRE(stat((fixture.dir.path() / "echod-2023-11-15.log").c_str(), &status) == 0);
  CHECK((status.st_mode & 0137U) == 0);
}

}  // namespace
}  // namespace auralis::log_file_test
