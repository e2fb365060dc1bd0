// SPDX-License-Identifier: MIT
#include "streamd/admission/grouped_log.h"

#include <string_view>
#include <utility>

#include "common/base/log.h"

namespace auralis {
namespace {

std::string_view message_of(GroupedLog::Event event) {
  switch (event) {
    case GroupedLog::Event::kConnected:
      return "more listeners connected";
    case GroupedLog::Event::kGone:
      return "more listeners gone";
    case GroupedLog::Event::kConnectionRefused:
      return "connections refused";
    case GroupedLog::Event::kMessageRefused:
      return "messages of listeners refused";
    case GroupedLog::Event::kControlRefused:
      return "control requests refused";
    case GroupedLog::Event::kOperatorRefused:
      break;
  }
  return "operator calls refused";
}

}  // namespace

bool GroupedLog::note(Event event, const std::string& reason, const Client& client) {
  const auto kind = static_cast<std::size_t>(event);
  const MutexLock lock(mutex_);
  if (kind < single_.size() && single_.at(kind)++ < kSingle) return true;
  Group& group = groups_[{event, reason}];
  ++group.count;
  group.last = client;
  return false;
}

void GroupedLog::flush() {
  MutexLock lock(mutex_);
  const Groups groups = std::exchange(groups_, {});
  single_.fill(0);
  lock.unlock();
  for (const auto& [key, group] : groups) log(key.first, key.second, group);
}

void GroupedLog::log(Event event, const std::string& reason, const Group& group) const {
  const std::string_view message = message_of(event);
  if (event == Event::kConnected) return log_info(message, {{"count", group.count}});
  if (event == Event::kGone) return log_info(message, {{"reason", reason}, {"count", group.count}});
  const auto* const address = std::get_if<IpAddress>(&group.last);
  const std::string last =
      address != nullptr ? access_.actor(*address, false) : std::get<std::string>(group.last);
  const bool of_listener = event == Event::kMessageRefused || event == Event::kControlRefused;
  (of_listener ? log_info : log_warning)(message,
                                         {{"reason", reason}, {"count", group.count}, {"last", last}});
}

}  // namespace auralis
