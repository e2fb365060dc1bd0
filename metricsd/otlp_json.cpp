// SPDX-License-Identifier: MIT
#include "metricsd/otlp_json.h"

#include <utility>

#include "common/base/build_info.h"

#include <nlohmann/json.hpp>

namespace auralis {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kInternal = 1;  // SpanKind
constexpr int kOk = 1;        // StatusCode
constexpr int kError = 2;

Json attribute(std::string_view key, std::string_view value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}

Json span_of(const EventSpan& span, const Run& run) {
  const LoggedEvent& event = span.event;
  Json attributes =
      Json::array({attribute("auralis.subject", event.subject), attribute("auralis.message", event.message)});
  if (event.count > 0) {
    const auto count = static_cast<std::uint64_t>(event.count);
    attributes.push_back({{"key", "auralis.count"}, {"value", {{"intValue", std::to_string(count)}}}});
  }
  if (!event.link.empty()) attributes.push_back(attribute("auralis.permalink", event.link));
  return {{"traceId", run.id + hex_id(event.id)},
          {"spanId", hex_id(event.id)},
          {"name", event_kind_name(event.kind)},
          {"kind", kInternal},
          {"startTimeUnixNano", std::to_string(event.begin_unix_ns)},
          {"endTimeUnixNano", std::to_string(span.end_unix_ns)},
          {"attributes", std::move(attributes)},
          {"status", event.bad ? Json{{"code", kError}, {"message", event.message}} : Json{{"code", kOk}}}};
}

}  // namespace

std::string otlp_json(const std::vector<EventSpan>& spans, const Run& run) {
  Json resources = Json::array();
  for (const Daemon daemon : kDaemons) {
    Json of_daemon = Json::array();
    for (const auto& span : spans) {
      if (span.event.process == daemon) of_daemon.push_back(span_of(span, run));
    }
    if (of_daemon.empty()) continue;
    const Json attributes = Json::array({attribute("service.namespace", "auralis"),
                                         attribute("service.name", daemon_name(daemon)),
                                         attribute("service.version", build_version())});
    resources.push_back({{"resource", {{"attributes", attributes}}},
                         {"scopeSpans", Json::array({{{"scope", {{"name", "metricsd"}}},
                                                      {"spans", std::move(of_daemon)}}})}});
  }
  const Json request{{"resourceSpans", std::move(resources)}};
  // Text from another process need not be UTF-8.
  return request.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace auralis
