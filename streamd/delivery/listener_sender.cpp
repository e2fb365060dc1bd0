// SPDX-License-Identifier: MIT
#include "streamd/delivery/listener_sender.h"

#include <cassert>
#include <utility>

#include "common/base/log.h"

namespace auralis {
namespace {

DisconnectReason reason_of(std::uint16_t code) {
  switch (code) {
    case close_code::kNoProgress:
      return DisconnectReason::kBacklog;
    case close_code::kNoSignOfLife:
      return DisconnectReason::kIdle;
    case close_code::kOperator:
    case close_code::kStationGone:
      return DisconnectReason::kOperator;
    case close_code::kGoingAway:
      return DisconnectReason::kDrain;
    default:
      return DisconnectReason::kError;
  }
}

}  // namespace

ListenerSender::ListenerSender(const SendContext& context, ConnectionId id, MessageSink& sink,
                               WireFormat format, bool offered_opus)
    : context_(&context),
      sink_(&sink),
      format_(format),
      offered_opus_(offered_opus),
      queue_(context.limits),
      id_(id) {
  account_.accepted_ns = context.clock.now_ns();
}

void ListenerSender::send_chunk(const AudioMessagePtr& audio, std::int64_t due_ns) {
  if (queue_.idle() && send_at_once(audio, due_ns)) return;
  push({audio->message, audio, due_ns, context_->process_time.now_ns()});
}

// As a rule the kernel takes a chunk whole, and no queue is needed. False if the connection is broken:
// sending through the queue finds that, too.
bool ListenerSender::send_at_once(const AudioMessagePtr& audio, std::int64_t due_ns) {
  const SendResult result = sink_->transmit(audio->message);
  if (result == SendResult::kFailed) return false;
  if (result == SendResult::kPending) {
    const std::int64_t now_ns = context_->process_time.now_ns();
    queue_.start({audio->message, audio, due_ns, now_ns}, now_ns);
    context_->ledger.note_queued(account_, *audio, due_ns);
  } else {
    context_->ledger.note_sent_at_once(account_, *audio, due_ns);
  }
  assert(books_match());
  return true;
}

void ListenerSender::send_initial(const WireMessagePtr& message) {
  push({message, nullptr, 0, context_->process_time.now_ns()});
}

void ListenerSender::send_past(const AudioMessagePtr& audio) {
  push({audio->message, audio, 0, context_->process_time.now_ns()});
}

void ListenerSender::lose_chunk(std::int64_t seq, std::int64_t due_ns) {
  context_->ledger.note_lost(account_, seq, due_ns);
  send_text(make_text_message(skipped_message(seq)));
}

void ListenerSender::send_text(const WireMessagePtr& message) {
  if (closing() || is_plain_http(format_)) return;
  if (!queue_.accepts_text()) {
    context_->metrics.messages_dropped.add();
    return;
  }
  push({message, nullptr, 0, context_->process_time.now_ns()});
}

void ListenerSender::announce_step_down() {
  send_text(make_text_message(stepped_down_message(account_.last_seq + 1, format_)));
}

void ListenerSender::push(QueuedMessage message) {
  if (message.audio) {
    context_->ledger.note_queued(account_, *message.audio, message.due_ns);
  }
  queue_.push(std::move(message));
  assert(books_match());
  send_waiting();
  apply_policy();
}

void ListenerSender::send_waiting() {
  while (!closing()) {
    const QueuedMessage* const next = queue_.start_next(context_->process_time.now_ns());
    if (next == nullptr) return;
    switch (sink_->transmit(next->message)) {
      case SendResult::kPending:
        return;
      case SendResult::kTaken:
        context_->ledger.note_sent(account_, queue_.finish());
        break;
      case SendResult::kFailed:
        write_failed();
        return;
    }
  }
}

bool ListenerSender::can_step_down() const {
  return offered_opus_ && format_ == WireFormat::kPcm && !stepping_down_;
}

void ListenerSender::apply_policy() {
  while (!closing() && queue_.has_in_flight()) {
    switch (queue_.action(context_->process_time.now_ns(), can_step_down())) {
      case BacklogAction::kSend:
        return;
      case BacklogAction::kStepDown:
        stepping_down_ = true;
        context_->step_down(id_);
        break;
      case BacklogAction::kSkipOldest:
        skip_oldest_chunk();
        break;
      case BacklogAction::kClose:
        close(close_code::kNoProgress, "no data taken for 10 s");
        return;
    }
  }
}

void ListenerSender::skip_oldest_chunk() {
  const std::int64_t seq = queue_.oldest_chunk()->seq;
  const bool warn = !is_plain_http(format_);
  WireMessagePtr notice;
  if (warn && queue_.accepts_text()) notice = make_text_message(skipped_message(seq));
  if (warn && !notice) context_->metrics.messages_dropped.add();
  const QueuedMessage skipped = queue_.skip_oldest_chunk(notice, context_->process_time.now_ns());
  context_->ledger.note_dropped(account_, skipped,
                                stepping_down_ ? DropReason::kStepDown : DropReason::kBacklog);
  assert(books_match());
  // One of ten: a slow listener skips ten a second.
  constexpr std::uint64_t kSampling = 10;
  if (logs(LogLevel::kDebug) && account_.dropped % kSampling == 1) {
    log_debug("slow listener: chunk skipped", {{"listener", static_cast<std::int64_t>(id_)},
                                               {"chunk", seq},
                                               {"dropped", static_cast<std::int64_t>(account_.dropped)}});
  }
}

void ListenerSender::flush() {
  while (queue_.oldest_chunk() != nullptr) skip_oldest_chunk();
}

void ListenerSender::drop_all() {
  while (const auto one = queue_.remove_first())
    context_->ledger.note_dropped(account_, *one, DropReason::kDisconnect);
  context_->ledger.note_end(account_);
  assert(account_.queued == 0);
}

std::int64_t ListenerSender::backlog_ns() const {
  return queue_.backlog(context_->process_time.now_ns(), false).oldest_age_ns;
}

void ListenerSender::close(std::uint16_t code, std::string_view reason) {
  if (!end_) end_ = reason_of(code);
  context_->transport.close(id_, code, reason);
}

void ListenerSender::written() {
  if (!queue_.has_in_flight()) return;
  context_->ledger.note_sent(account_, queue_.finish());
  assert(books_match());
  send_waiting();
}

void ListenerSender::write_failed() {
  if (!queue_.has_in_flight()) return;
  const QueuedMessage failed = queue_.finish();
  if (failed.audio) context_->metrics.send_errors.add();
  context_->ledger.note_dropped(account_, failed, DropReason::kError);
  assert(books_match());
  if (!end_)
    end_ =
        DisconnectReason::kReset;  // the network closes the connection, and ConnectionEvents::closed follows
}

BufferStatus ListenerSender::status() const {
  const Backlog backlog = queue_.backlog(context_->process_time.now_ns(), can_step_down());
  BufferStatus status;
  status.format = format_;
  status.queued = queue_.chunks();
  status.queued_bytes = queue_.bytes();
  status.backlog_ms = static_cast<double>(backlog.oldest_age_ns) / kNsPerMs;
  status.max_backlog_ms = queue_.max_age_ns() / kNsPerMs;
  status.sent = account_.sent;
  status.dropped = account_.dropped;
  status.server_time = static_cast<double>(context_->clock.unix_ns()) / kNsPerSecond;
  return status;
}

}  // namespace auralis
