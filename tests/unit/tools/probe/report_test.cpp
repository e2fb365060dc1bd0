// SPDX-License-Identifier: MIT
#include "tools/probe/report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace auralis::probe_report_test {
namespace {

struct Fixture {
  ProbeOptions options;
  Reception reception;
  Verdict verdict;

  Fixture() {
    options.url.text = "ws://a";
    reception.station = "night";
    reception.chunks.resize(31);
    reception.first_audio_ns = 12'345'678;
    for (int i = 0; i < 99; ++i) reception.lateness.add(100);
    reception.lateness.add(25'000);
    verdict.exact = true;
    verdict.peak = 9'000;
  }
  nlohmann::json json() const { return nlohmann::json::parse(probe_json(options, reception, verdict)); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a result is one line for people") {
  CHECK(
      probe_text(options, reception, verdict) ==
      "station night, pcm: 31 chunks, bit-exact; first audio after 12 ms, lateness p50 0.1 p99 0.1 ms; peak "
      "9000\n");
  verdict.reason = "gap: chunk 1 is followed by chunk 3";
  CHECK(probe_text(options, reception, verdict) ==
        "station night, pcm: gap: chunk 1 is followed by chunk 3\n");
  options.format = WireFormat::kOpus;
  verdict = {false, 22.34, 9'000, 0, ""};
  CHECK(probe_text(options, reception, verdict).find("opus: 31 chunks, 22.3 dB above the difference") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a result is an object for programs, without what was not measured") {
  CHECK(json() == nlohmann::json{{"url", "ws://a"},
                                 {"station", "night"},
                                 {"format", "pcm"},
                                 {"chunks", 31},
                                 {"gaps", 0},
                                 {"first_audio_ms", 12.345678},
                                 {"lateness_p50_ms", 0.1},
                                 {"lateness_p99_ms", 0.1},
                                 {"peak", 9'000},
                                 {"exact", true},
                                 {"reason", ""}});
  verdict.snr_db = 22.3456;
  CHECK(json()["snr_db"] == 22.35);
  reception = {};
  CHECK_FALSE(json().contains("first_audio_ms"));
  CHECK_FALSE(json().contains("lateness_p50_ms"));
}

}  // namespace auralis::probe_report_test
