// SPDX-License-Identifier: MIT
// What a player reports of its playback, as it is parsed.
#include "streamd/api/messages.h"

#include <doctest/doctest.h>

#include "tests/unit/streamd/api/refusal.h"

namespace auralis::playback_report_test {
namespace {

using test::refusal;

TEST_CASE("a playback report is bounded") {
  const auto report = std::get<PlaybackReport>(
      parse_client_message(R"({"type":"playback_report","latency_ms":180.5,"buffer_ms":200})"));
  CHECK(report.latency_ms == 180.5);
  CHECK(report.buffer_ms == 200);
  CHECK(report.underruns + report.gaps + report.skips == 0);
  CHECK_FALSE(report.way);
  CHECK(refusal(R"({"type":"playback_report","latency_ms":60001,"buffer_ms":0})") == "bad_field");
  CHECK(refusal(R"({"type":"playback_report","latency_ms":1,"buffer_ms":-1})") == "bad_field");
  CHECK(refusal(R"({"type":"playback_report","latency_ms":1})") == "bad_field");
}

TEST_CASE("a playback report may count what went wrong since the last one") {
  const auto report = std::get<PlaybackReport>(parse_client_message(
      R"({"type":"playback_report","latency_ms":1,"buffer_ms":2,"underruns":3,"gaps":4,"skips":5})"));
  CHECK(report.underruns == 3);
  CHECK(report.gaps == 4);
  CHECK(report.skips == 5);
  for (const char* const count : {"-1", "0.5", "1000001", "\"1\"", "null", "1e400"}) {
    for (const char* const field : {"underruns", "gaps", "skips"}) {
      const std::string text = R"({"type":"playback_report","latency_ms":1,"buffer_ms":2,")" +
                               std::string(field) + "\":" + count + "}";
      const std::string code = refusal(text);
      CHECK((code == "bad_field" || code == "bad_json"));
    }
  }
}

TEST_CASE("a playback report may say how the player is, and leave out a latency that it does not know") {
  const auto report = std::get<PlaybackReport>(parse_client_message(
      R"({"type":"playback_report","buffer_ms":2,"way":"element","target_ms":2000,"least_buffer_ms":0,"drift_ppm":-12.5})"));
  CHECK_FALSE(report.latency_ms);
  CHECK(report.way == PlayerWay::kElement);
  CHECK(report.target_ms == 2'000);
  CHECK(report.least_buffer_ms == 0);
  CHECK(report.drift_ppm == -12.5);
  for (const char* const field : {R"("way":"radio")", R"("way":0)", R"("target_ms":60001)",
                                  R"("least_buffer_ms":-1)", R"("drift_ppm":10001)"}) {
    CAPTURE(field);
    CHECK(refusal(R"({"type":"playback_report","buffer_ms":2,)" + std::string(field) + "}") == "bad_field");
  }
}

TEST_CASE(
    "a playback report may say how long the player played, how much of it in silence, and when it began") {
  const auto report = std::get<PlaybackReport>(parse_client_message(
      R"({"type":"playback_report","latency_ms":1,"buffer_ms":2,"listened_ms":5000,"silence_ms":40.5,"startup_ms":600})"));
  CHECK(report.listened_ms == 5'000);
  CHECK(report.silence_ms == 40.5);
  CHECK(report.startup_ms == 600);
  const auto refused = [](const std::string& fields) {
    return refusal(R"({"type":"playback_report","latency_ms":1,"buffer_ms":2,)" + fields + "}") ==
           "bad_field";
  };
  CHECK(refused(R"("listened_ms":-1)"));
  CHECK(refused(R"("listened_ms":1,"silence_ms":2)"));
  CHECK(refused(R"("silence_ms":2)"));
  CHECK(refused(R"("listened_ms":86400001)"));
  CHECK(refused(R"("startup_ms":"1")"));
}

}  // namespace
}  // namespace auralis::playback_report_test
