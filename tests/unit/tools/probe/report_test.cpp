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
  verdict = {false, 22.34, 9'000, 0, 0, ""};
  CHECK(probe_text(options, reception, verdict).find("opus: 31 chunks, 22.3 dB above the difference") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a result is an object for programs, without what was not measured") {
  CHECK(json() == nlohmann::json{{"url", "ws://a"},
                                 {"station", "night"},
                                 {"format", "pcm"},
                                 {"chunks", 31},
                                 {"gaps", 0},
                                 {"wrong", 0},
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

TEST_CASE_FIXTURE(Fixture, "a result for metrics is right, wrong, or none because nothing could be judged") {
  options.format = WireFormat::kOpus;
  options.publish = PublishOptions{"/dev/shm/x/probe", "night"};
  verdict.snr_db = 22.3456;
  ProbeResult result = probe_result(options, reception, &verdict, 1'700'000'000'123'999'999);
  CHECK(result.station == "night");
  CHECK(result.format == "opus");
  CHECK(result.run_seconds == 1'700'000'000.123);
  CHECK(result.success);
  CHECK(result.received == 31);
  CHECK(result.wrong == 0);
  CHECK(result.snr_db == 22.35);
  verdict.reason = "gap: chunk 1 is followed by chunk 3";
  verdict.wrong = 2;
  result = probe_result(options, reception, &verdict, 0);
  CHECK_FALSE(result.success);
  CHECK(result.wrong == 2);
  result = probe_result(options, {}, nullptr, 0);
  CHECK_FALSE(result.success);
  CHECK(result.received == 0);
  CHECK_FALSE(result.snr_db);
}

}  // namespace auralis::probe_report_test
