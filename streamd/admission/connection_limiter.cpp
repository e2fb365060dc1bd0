// SPDX-License-Identifier: MIT
#include "streamd/admission/connection_limiter.h"

#include <map>
#include <utility>

#include "common/base/mutex.h"
#include "streamd/admission/client_address.h"

namespace auralis {
namespace {

struct InOrder {
  bool operator()(const IpAddress& a, const IpAddress& b) const { return a.bytes < b.bytes; }
};

}  // namespace

struct ConnectionLimiter::State {
  explicit State(const Limits& allowed) : limits(allowed) {}

  const Limits limits;
  Mutex mutex;
  std::int64_t taken AURALIS_GUARDED_BY(mutex) = 0;
  std::map<IpAddress, std::int64_t, InOrder> taken_at AURALIS_GUARDED_BY(mutex);  // none of 0
};

ConnectionLimiter::Permit& ConnectionLimiter::Permit::operator=(Permit&& other) noexcept {
  if (this == &other) return *this;
  free();
  state_ = std::move(other.state_);
  place_ = other.place_;
  return *this;
}

void ConnectionLimiter::Permit::free() noexcept {
  if (!state_) return;
  {
    const MutexLock lock(state_->mutex);
    --state_->taken;
    const auto at = state_->taken_at.find(place_);
    if (--at->second == 0) state_->taken_at.erase(at);
  }
  state_.reset();
}

ConnectionLimiter::ConnectionLimiter(const Limits& limits, std::function<bool(const IpAddress&)> exempt)
    : exempt_(std::move(exempt)), state_(std::make_shared<State>(limits)) {}

std::variant<ConnectionLimiter::Permit, ConnectionLimiter::Refusal> ConnectionLimiter::acquire(
    const IpAddress& client) {
  const IpAddress place = client_network(client);
  const bool limited = !exempt_(client);
  const MutexLock lock(state_->mutex);
  if (state_->taken >= state_->limits.places) return Refusal::kFull;
  const auto at = state_->taken_at.find(place);
  const bool known = at != state_->taken_at.end();
  if (limited && (known ? at->second : 0) >= state_->limits.places_per_address) return Refusal::kAddress;
  if (known) {
    ++at->second;
  } else {
    state_->taken_at.emplace(place, 1);
  }
  ++state_->taken;
  return Permit(state_, place);
}

std::shared_ptr<const ConnectionLimiter::Permit> ConnectionLimiter::acquire_shared(const IpAddress& client) {
  auto entered = acquire(client);
  if (std::holds_alternative<Refusal>(entered)) return nullptr;
  return std::make_shared<const Permit>(std::get<Permit>(std::move(entered)));
}

std::size_t ConnectionLimiter::places() const { return static_cast<std::size_t>(state_->limits.places); }

std::size_t ConnectionLimiter::taken() const {
  const MutexLock lock(state_->mutex);
  return static_cast<std::size_t>(state_->taken);
}

std::size_t ConnectionLimiter::taken_at(const IpAddress& client) const {
  const MutexLock lock(state_->mutex);
  const auto at = state_->taken_at.find(client_network(client));
  return at == state_->taken_at.end() ? 0 : static_cast<std::size_t>(at->second);
}

}  // namespace auralis
