// SPDX-License-Identifier: MIT
#include "metricsd/system_sampler.h"

#include <fstream>
#include <sstream>
#include <string>

#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::system_sampler_test {
namespace {

using auralis::CpuTicks;
using auralis::SystemSampler;

std::optional<CpuTicks> parse(const std::string& text) {
  std::istringstream stream(text);
  return auralis::parse_proc_stat(stream);
}

}  // namespace

TEST_CASE("free_percent: a share of the file system, nothing of a folder that is not there") {
  const auto free = auralis::free_percent("/proc/self");  // a file system without any capacity
  CHECK_FALSE(free);
  CHECK_FALSE(auralis::free_percent("/no/such/folder"));
  const auto here = auralis::free_percent(std::filesystem::temp_directory_path());
  REQUIRE(here);
  CHECK(*here >= 0);
  CHECK(*here <= 100);
}

TEST_CASE("parse_proc_stat: idle and disk waits are not busy, and guests are not counted twice") {
  const auto ticks = parse(
      "cpu  100 20 30 400 50 6 7 8 90 10\n"
      "cpu0 50 10 15 200 25 3 3 4 45 5\n"
      "cpu1 50 10 15 200 25 3 4 4 45 5\n"
      "intr 12345 0 1\nctxt 99\n");
  REQUIRE(ticks);
  CHECK(ticks->busy == 100 + 20 + 30 + 6 + 7 + 8);
  CHECK(ticks->total == ticks->busy + 400 + 50);
  CHECK(ticks->cores == 2);
}

TEST_CASE("parse_proc_stat: what is not the kernel's text gives nothing") {
  CHECK_FALSE(parse(""));
  CHECK_FALSE(parse("cpu  1 2 3\ncpu0 1 2 3\n"));
  CHECK_FALSE(parse("cpu  1 2 x 4 5 6 7 8\ncpu0 1 2 3 4 5 6 7 8\n"));
  CHECK_FALSE(parse("cpu  1 2 -3 4 5 6 7 8\ncpu0 1 2 3 4 5 6 7 8\n"));
  CHECK_FALSE(parse("cpu  1 2 3 4 5 6 7 8\n"));
  CHECK_FALSE(parse("cpu0 1 2 3 4 5 6 7 8\n"));
  CHECK_FALSE(parse("cpu  1 2 3 4 5 6 7 8\ncpu  1 2 3 4 5 6 7 8\ncpu0 1 2 3 4 5 6 7 8\n"));
  CHECK_FALSE(parse(std::string(1'000, '\0')));
}

TEST_CASE("SystemSampler: reads the folder that it is given, and this machine's own") {
  const auralis::test::TempDir folder;
  const SystemSampler sampler(folder.path());
  CHECK_FALSE(sampler.cpu());
  std::ofstream(folder.path() / "stat") << "cpu 1 0 0 3 0 0 0 0 0 0\ncpu0 1 0 0 3 0 0 0 0 0 0\n";
  REQUIRE(sampler.cpu());
  CHECK(sampler.cpu()->total == 4);

  REQUIRE(SystemSampler().cpu());
  CHECK(SystemSampler().cpu()->cores >= 1);
}

}  // namespace auralis::system_sampler_test
