// SPDX-License-Identifier: MIT
#include "metricsd/event_spans.h"

namespace auralis {
namespace {

// Ends the span of `subject`, if one is open.
void end_span(std::map<std::string, LoggedEvent>& open, const LoggedEvent& by, std::vector<EventSpan>& over) {
  const auto begun = open.find(by.subject);
  if (begun == open.end()) return;
  over.push_back({begun->second, by.begin_unix_ns});
  open.erase(begun);
}

}  // namespace

std::vector<EventSpan> EventSpans::add(const std::vector<LoggedEvent>& events, std::int64_t unix_ns) {
  std::vector<EventSpan> over;
  for (const auto& event : events) {
    switch (event.kind) {
      case EventKind::kDown:
      case EventKind::kHang:
        // One that has not been up is no loss; one that hung and ends is away already.
        if (daemons_up_.erase(event.subject) > 0) daemons_down_.emplace(event.subject, event);
        break;
      case EventKind::kUp:
        daemons_up_.insert(event.subject);
        end_span(daemons_down_, event, over);
        break;
      case EventKind::kRaised:
        conditions_.emplace(event.subject, event);
        break;
      case EventKind::kCleared:
        end_span(conditions_, event, over);
        break;
      case EventKind::kReload:
        over.push_back({event, event.begin_unix_ns});
        break;
      default:
        counted_[event.id] = event;
    }
  }
  for (auto one = counted_.begin(); one != counted_.end();) {
    if (unix_ns - one->second.end_unix_ns <= EventLog::kTogetherNs) {
      ++one;
      continue;
    }
    over.push_back({one->second, one->second.end_unix_ns});
    one = counted_.erase(one);
  }
  return over;
}

}  // namespace auralis
