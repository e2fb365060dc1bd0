// SPDX-License-Identifier: MIT
#include "streamd/delivery/listener_queue.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace auralis {

void ListenerQueue::set_max_age(std::int64_t age_ns) { max_age_ns_ = std::min(age_ns, limits_.age_ns); }

void ListenerQueue::push(QueuedMessage message) {
  assert(message.message);
  bytes_ += message.message->bytes.size();
  ++(message.audio ? waiting_chunks_ : waiting_texts_);
  waiting_.push_back(std::move(message));
}

void ListenerQueue::start(QueuedMessage message, std::int64_t now_ns) {
  assert(idle());
  bytes_ += message.message->bytes.size();
  progress_ns_ = now_ns;
  in_flight_ = std::move(message);
}

const QueuedMessage* ListenerQueue::start_next(std::int64_t now_ns) {
  if (in_flight_ || waiting_.empty()) return nullptr;
  in_flight_ = std::move(waiting_.front());
  waiting_.pop_front();
  note_leaving(*in_flight_);
  progress_ns_ = now_ns;
  return &*in_flight_;
}

// Of a message that no longer waits.
void ListenerQueue::note_leaving(const QueuedMessage& message) {
  std::size_t& count = message.audio ? waiting_chunks_ : waiting_texts_;
  assert(count > 0);
  --count;
}

QueuedMessage ListenerQueue::finish() {
  assert(in_flight_);
  assert(bytes_ >= in_flight_->message->bytes.size());
  bytes_ -= in_flight_->message->bytes.size();
  return *std::exchange(in_flight_, std::nullopt);
}

std::deque<QueuedMessage>::const_iterator ListenerQueue::find_oldest_chunk() const {
  return std::find_if(waiting_.begin(), waiting_.end(),
                      [](const QueuedMessage& one) { return one.audio != nullptr; });
}

const AudioMessage* ListenerQueue::oldest_chunk() const {
  const auto oldest = find_oldest_chunk();
  return oldest == waiting_.end() ? nullptr : oldest->audio.get();
}

QueuedMessage ListenerQueue::skip_oldest_chunk(const WireMessagePtr& notice, std::int64_t now_ns) {
  assert(!notice || accepts_text());
  const auto oldest = waiting_.begin() + (find_oldest_chunk() - waiting_.cbegin());
  assert(oldest != waiting_.end());
  QueuedMessage skipped = std::move(*oldest);
  note_leaving(skipped);
  bytes_ -= skipped.message->bytes.size();
  if (notice) {
    *oldest = {notice, nullptr, 0, now_ns};
    bytes_ += notice->bytes.size();
    ++waiting_texts_;
  } else {
    waiting_.erase(oldest);
  }
  return skipped;
}

std::optional<QueuedMessage> ListenerQueue::remove_first() {
  if (in_flight_) return finish();
  if (waiting_.empty()) return std::nullopt;
  QueuedMessage first = std::move(waiting_.front());
  waiting_.pop_front();
  note_leaving(first);
  bytes_ -= first.message->bytes.size();
  return first;
}

Backlog ListenerQueue::backlog(std::int64_t now_ns, bool can_step_down) const {
  Backlog backlog;
  const auto oldest = find_oldest_chunk();
  if (oldest != waiting_.end()) backlog.oldest_age_ns = now_ns - oldest->queued_ns;
  if (in_flight_) backlog.since_progress_ns = now_ns - progress_ns_;
  backlog.queued_bytes = bytes_;
  backlog.queued_chunks = waiting_chunks_;
  backlog.can_step_down = can_step_down;
  return backlog;
}

BacklogAction ListenerQueue::action(std::int64_t now_ns, bool can_step_down) const {
  return backlog_action(backlog(now_ns, can_step_down), {max_age_ns_, limits_.bytes});
}

}  // namespace auralis
