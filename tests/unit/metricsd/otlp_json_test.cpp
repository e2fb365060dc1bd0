// SPDX-License-Identifier: MIT
#include "metricsd/otlp_json.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace auralis::otlp_json_test {
namespace {

const Run kRun{"00000000000000ff", "2026-11-30T02:00:00.000Z"};

EventSpan span_of(std::uint64_t id, Daemon process, std::string subject) {
  EventSpan span;
  span.event.id = id;
  span.event.process = process;
  span.event.kind = EventKind::kHole;
  span.event.subject = std::move(subject);
  span.event.begin_unix_ns = 1'500'000'000;
  span.event.message = "audio was missing";
  span.end_unix_ns = 4'500'000'000;
  return span;
}

}  // namespace

TEST_CASE("otlp_json: an export request with the spans of each daemon, in the protocol's forms of numbers") {
  EventSpan hole = span_of(26, Daemon::kStreamd, "day");
  hole.event.count = 20;
  hole.event.link = "station=new&seed=1";
  EventSpan reload = span_of(27, Daemon::kSynthd, "synthd");
  reload.event.bad = false;
  const auto json = nlohmann::json::parse(otlp_json({hole, reload}, kRun));
  const auto& resources = json.at("resourceSpans");
  REQUIRE(resources.size() == 2);
  CHECK(resources[0].at("resource").at("attributes")[1] ==
        nlohmann::json{{"key", "service.name"}, {"value", {{"stringValue", "synthd"}}}});
  CHECK(resources[0].at("scopeSpans")[0].at("spans")[0].at("status") == nlohmann::json{{"code", 1}});
  const auto text = [](const char* key, const char* value) {
    return nlohmann::json{{"key", key}, {"value", {{"stringValue", value}}}};
  };
  CHECK(resources[1].at("scopeSpans")[0].at("spans") ==
        nlohmann::json::array({{{"traceId", "00000000000000ff000000000000001a"},
                                {"spanId", "000000000000001a"},
                                {"name", "hole"},
                                {"kind", 1},
                                {"startTimeUnixNano", "1500000000"},
                                {"endTimeUnixNano", "4500000000"},
                                {"attributes",
                                 {text("auralis.subject", "day"),
                                  text("auralis.message", "audio was missing"),
                                  {{"key", "auralis.count"}, {"value", {{"intValue", "20"}}}},
                                  text("auralis.permalink", "station=new&seed=1")}},
                                {"status", {{"code", 2}, {"message", "audio was missing"}}}}}));
}

TEST_CASE("otlp_json: bytes that are no UTF-8 do not break it") {
  CHECK(nlohmann::json::parse(otlp_json({span_of(1, Daemon::kStreamd, "\xff")}, kRun)).is_object());
}

}  // namespace auralis::otlp_json_test
