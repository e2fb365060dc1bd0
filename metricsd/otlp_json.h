// SPDX-License-Identifier: MIT
// Spans in OpenTelemetry's protocol, in JSON: an ExportTraceServiceRequest of
// opentelemetry/proto/collector/trace/v1, whose ids are hexadecimal and whose times are text. Pure.
#pragma once

#include <string>
#include <vector>

#include "metricsd/event_spans.h"
#include "metricsd/run.h"

namespace auralis {

// Each span is a trace of its own, of the daemon that it concerns.
std::string otlp_json(const std::vector<EventSpan>& spans, const Run& run);

}  // namespace auralis
