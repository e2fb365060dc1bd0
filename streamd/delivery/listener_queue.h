// SPDX-License-Identifier: MIT
// One listener's bounded queue: references to shared messages that wait, and the one in flight, which the
// network has and the kernel has not taken whole. Pure: it sends nothing, counts in no metric and reads no
// clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "streamd/delivery/backlog_policy.h"
#include "streamd/encode/audio_message.h"

namespace auralis {

// A message to one listener.
struct QueuedMessage {
  WireMessagePtr message;
  AudioMessagePtr audio;       // null for a text message
  std::int64_t due_ns = 0;     // of a live chunk; 0 for one of the past
  std::int64_t queued_ns = 0;  // process time
};

// One thread, the worker's. All times are process time.
class ListenerQueue {
 public:
  explicit ListenerQueue(const BacklogLimits& limits) : limits_(limits), max_age_ns_(limits.age_ns) {}

  // True if nothing waits or is in flight.
  bool idle() const { return !in_flight_ && waiting_.empty(); }
  bool has_in_flight() const { return in_flight_.has_value(); }
  // Chunks that wait or are in flight.
  std::size_t chunks() const { return waiting_chunks_ + (in_flight_ && in_flight_->audio ? 1 : 0); }
  // Bytes, with framing, of all that waits or is in flight.
  std::size_t bytes() const { return bytes_; }
  // False if kMaxTexts text messages wait: a further one is to be dropped, not pushed.
  bool accepts_text() const { return waiting_texts_ < kMaxTexts; }
  std::int64_t max_age_ns() const { return max_age_ns_; }
  // Shortens the age up to which chunks may wait; at most the limit that all listeners have.
  void set_max_age(std::int64_t age_ns);

  // Appends a message. What a listener begins with is appended even if kMaxTexts wait.
  void push(QueuedMessage message);
  // Puts a message in flight without a wait. The queue is idle.
  void start(QueuedMessage message, std::int64_t now_ns);
  // Moves the oldest waiting message in flight and returns it; null if none waits or one is in flight. Valid
  // until the next change.
  const QueuedMessage* start_next(std::int64_t now_ns);
  // Notes that the kernel took a part of the message in flight.
  void progressed(std::int64_t now_ns) { progress_ns_ = now_ns; }
  // Removes the message in flight. There is one.
  QueuedMessage finish();

  // The oldest waiting chunk; null if none waits.
  const AudioMessage* oldest_chunk() const;
  // Removes the oldest waiting chunk, which exists. `notice`, a text message, takes its position, so that the
  // listener learns where the gap is; if null, the chunk is removed without a replacement.
  QueuedMessage skip_oldest_chunk(const WireMessagePtr& notice, std::int64_t now_ns);
  // Removes whatever is first, in flight or waiting; nothing once the queue is empty.
  std::optional<QueuedMessage> remove_first();

  // How the listener stands, and what its limits demand. `can_step_down` as in Backlog.
  Backlog backlog(std::int64_t now_ns, bool can_step_down) const;
  BacklogAction action(std::int64_t now_ns, bool can_step_down) const;

  static constexpr std::size_t kMaxTexts = 64;

 private:
  std::deque<QueuedMessage>::const_iterator find_oldest_chunk() const;
  void note_leaving(const QueuedMessage& message);

  // In the order in which each chunk touches them.
  std::optional<QueuedMessage> in_flight_;
  std::deque<QueuedMessage> waiting_;
  std::int64_t progress_ns_ = 0;  // when the kernel last took a part of the message in flight
  std::size_t bytes_ = 0;
  std::size_t waiting_chunks_ = 0;
  std::size_t waiting_texts_ = 0;
  BacklogLimits limits_;
  std::int64_t max_age_ns_;
};

}  // namespace auralis
