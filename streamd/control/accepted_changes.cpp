// SPDX-License-Identifier: MIT
#include "streamd/control/accepted_changes.h"

#include <cassert>
#include <utility>

namespace auralis {

void AcceptedChanges::add(Change change, std::int64_t now_ns) {
  assert(checker_.is_current());
  const std::size_t index = change.id.index;
  pending_[index] = {std::move(change), now_ns};
}

std::vector<AcceptedChanges::Change> AcceptedChanges::extract_void(
    const std::function<const StationState*(const StationId&)>& state_of, bool synthd_works,
    std::int64_t now_ns) {
  assert(checker_.is_current());
  std::vector<Change> taken_back;
  for (auto entry = pending_.begin(); entry != pending_.end();) {
    Pending& pending = entry->second;
    const StationState* const state = state_of(pending.change.id);
    if (!synthd_works) pending.since_ns = now_ns;
    const bool known = state != nullptr && state->applied_request >= pending.change.request;
    const bool lost = state == nullptr || now_ns - pending.since_ns >= kTakeUpNs;
    if (!known && !lost) {
      ++entry;
      continue;
    }
    if (!known) taken_back.push_back(std::move(pending.change));
    entry = pending_.erase(entry);
  }
  return taken_back;
}

}  // namespace auralis
