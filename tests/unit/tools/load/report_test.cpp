// SPDX-License-Identifier: MIT
#include "tools/load/report.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace auralis::load_report_test {
namespace {

struct Fixture {
  LoadOptions options;
  LoadResult result;

  Fixture() {
    options.url.text = "ws://a";
    options.protocol = "auralis.pcm.v1";
    options.listeners = 10;
    Tally& tally = result.tally;
    tally.opened = 8;
    tally.heard = 8;
    tally.bytes = 2'000'000;
    tally.chunks = 400;
    tally.lateness.add(1'500);
    result.ramp_s = 2;
    result.measured_s = 4;
  }

  std::string text() const { return report_text(options, result); }
  nlohmann::json json() const { return nlohmann::json::parse(report_json(options, result)); }
};

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "both reports say what the listeners received") {
  CHECK(has(text(), "8 of 10 listeners connected in 2.0 s"));
  CHECK(has(text(), "4.0 s: 0.5 MB/s"));
  CHECK(has(text(), "400 chunks"));
  CHECK(json()["opened"] == 8);
  CHECK(json()["bytes"] == 2'000'000);
  CHECK(json()["connections_per_s"] == 4);
  CHECK(json()["lateness_ms"]["p99"] == 1.5);
}

TEST_CASE_FIXTURE(Fixture, "errors are listed by kind, none of them twice") {
  result.tally.refused[503] = 1;
  result.tally.failed["Connection refused"] = 1;
  result.tally.lost[1006] = 2;
  result.tally.heard = 7;
  CHECK(has(text(), "1 refused with HTTP 503"));
  CHECK(has(text(), "1 not connected: Connection refused"));
  CHECK(has(text(), "2 lost with code 1006"));
  CHECK(has(text(), "1 received no audio"));
  CHECK(json()["refused"]["503"] == 1);
  CHECK(json()["failed"]["Connection refused"] == 1);
  CHECK(json()["lost"]["1006"] == 2);
}

TEST_CASE_FIXTURE(Fixture, "a percentile of no values is absent, never a made-up number") {
  CHECK(json()["jitter_ms"]["count"] == 0);
  CHECK_FALSE(json()["jitter_ms"].contains("p50"));
  CHECK_FALSE(has(text(), "jitter"));
}

TEST_CASE_FIXTURE(Fixture, "the server's processor time is per second and per byte") {
  CHECK_FALSE(json().contains("server"));
  options.server = 7;
  result.server_before = ProcessUsage{0, 1'000, std::nullopt};
  result.server_begin = ProcessUsage{1, 2'000, std::nullopt};
  result.server_end = ProcessUsage{3, 3'000, 2'500};
  const auto server = json()["server"];
  CHECK(server["cpu_s"] == 2);
  CHECK(server["cpu_percent"] == 50);
  CHECK(server["cpu_ns_per_byte"] == 1'000);
  CHECK(server["rss_kib_before"] == 1'000);
  CHECK(server["rss_kib_after"] == 3'000);
  CHECK_FALSE(server.contains("pss_kib_before"));
  CHECK(server["pss_kib_after"] == 2'500);
  CHECK(has(text(), "the server 50.0 %"));
}

TEST_CASE_FIXTURE(Fixture, "a run that measured nothing reports its connections alone") {
  result.measured_s = 0;
  result.tally.opened = 0;
  result.tally.heard = 0;
  CHECK(has(text(), "0 of 10"));
  CHECK_FALSE(has(text(), "MB/s"));
}

}  // namespace auralis::load_report_test
