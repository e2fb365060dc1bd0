// SPDX-License-Identifier: MIT
#include "tools/probe/publication.h"

#include "common/metrics/metrics_segment.h"
#include "tests/unit/support.h"
#include "tools/probe_metrics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>

namespace auralis::publication_test {
namespace {

using namespace test;

ProbeResult result_of(const std::string& station, double run_seconds) {
  ProbeResult result;
  result.station = station;
  result.format = "pcm";
  result.run_seconds = run_seconds;
  result.success = true;
  result.received = 50;
  return result;
}

struct Fixture {
  TempDir runtime;
  std::filesystem::path folder = runtime.path() / "probe";

  void add(const ProbeResult& result) const { publish(folder, result, kNsPerSecond); }
  ProbeResult found(const std::string& station, const std::string& format = "pcm") const {
    for (const ProbeResult& result : published_results(folder)) {
      if (result.station == station && result.format == format) return result;
    }
    FAIL("no result of " << station << ", " << format);
    return {};
  }
  std::set<std::string> stations() const {
    std::set<std::string> names;
    for (const ProbeResult& result : published_results(folder)) names.insert(result.station);
    return names;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a result is there after its writer, with all that was measured") {
  CHECK(published_results(folder).empty());
  ProbeResult result = result_of("night", 1'700'000'000.25);
  result.format = "opus";
  result.success = false;
  result.wrong = 3;
  result.snr_db = 17.5;
  add(result);
  const ProbeResult read = found("night", "opus");
  CHECK(read.run_seconds == 1'700'000'000.25);
  CHECK_FALSE(read.success);
  CHECK(read.received == 50);
  CHECK(read.wrong == 3);
  CHECK(read.snr_db == 17.5);
}

TEST_CASE_FIXTURE(Fixture, "a result replaces that of its stream only, with what it has not measured") {
  ProbeResult first = result_of("night", 1);
  first.snr_db = 50;
  add(first);
  add(result_of("day", 2));
  ProbeResult opus = result_of("night", 3);
  opus.format = "opus";
  add(opus);
  ProbeResult second = result_of("night", 4);
  second.success = false;
  add(second);
  CHECK(published_results(folder).size() == 3);
  CHECK(found("night").run_seconds == 4);
  CHECK_FALSE(found("night").success);
  CHECK_FALSE(found("night").snr_db);
  CHECK(found("day").run_seconds == 2);
  CHECK(found("night", "opus").success);
}

TEST_CASE_FIXTURE(Fixture, "of more streams than are kept, the one not probed for longest makes room") {
  for (std::size_t i = 0; i < kProbedStreams; ++i) add(result_of("s" + std::to_string(i), 100.0 + double(i)));
  add(result_of("s0", 200));
  add(result_of("new", 201));
  CHECK(stations().size() == kProbedStreams);
  CHECK(stations().count("new") == 1);
  CHECK(stations().count("s0") == 1);
  CHECK(stations().count("s1") == 0);
}

TEST_CASE_FIXTURE(Fixture, "results of several probes at a time are all kept") {
  std::vector<std::thread> probes;
  for (int i = 0; i < 6; ++i) probes.emplace_back([this, i] { add(result_of("s" + std::to_string(i), i)); });
  for (auto& probe : probes) probe.join();
  CHECK(stations().size() == 6);
}

TEST_CASE_FIXTURE(Fixture, "where there are no daemons, it says that it cannot publish") {
  CHECK_THROWS_WITH_AS(publish("/dev/shm/nowhere/probe", result_of("night", 1), 1),
                       "results of probes cannot be published in /dev/shm/nowhere/probe: the folder: No such "
                       "file or directory",
                       const SegmentError&);
}

TEST_CASE_FIXTURE(Fixture, "its folder and file are as those of the daemons: readable to the group alone") {
  add(result_of("night", 1));
  using std::filesystem::perms;
  CHECK((std::filesystem::status(folder).permissions() & perms::others_all) == perms::none);
  CHECK((std::filesystem::status(folder / "metrics").permissions() & perms::others_all) == perms::none);
}

}  // namespace auralis::publication_test
