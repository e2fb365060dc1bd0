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
  release();
  state_ = std::move(other.state_);
  network_ = other.network_;
  return *this;
}

void ConnectionLimiter::Permit::release() noexcept {
  if (!state_) return;
  {
    const MutexLock lock(state_->mutex);
    --state_->taken;
    const auto at = state_->taken_at.find(network_);
    if (--at->second == 0) state_->taken_at.erase(at);
  }
  state_.reset();
}

ConnectionLimiter::ConnectionLimiter(const Limits& limits, std::function<bool(const IpAddress&)> exempt)
    : exempt_(std::move(exempt)), state_(std::make_shared<State>(limits)) {}

std::variant<ConnectionLimiter::Permit, ConnectionLimiter::Refusal> ConnectionLimiter::acquire(
    const IpAddress& client) {
  const IpAddress network = client_network(client);
  const bool limited = !exempt_(client);
  const MutexLock lock(state_->mutex);
  if (state_->taken >= state_->limits.total) return Refusal::kFull;
  const auto at = state_->taken_at.find(network);
  const bool known = at != state_->taken_at.end();
  if (limited && (known ? at->second : 0) >= state_->limits.per_address) return Refusal::kAddress;
  if (known) {
    ++at->second;
  } else {
    state_->taken_at.emplace(network, 1);
  }
  ++state_->taken;
  return Permit(state_, network);
}

std::shared_ptr<const ConnectionLimiter::Permit> ConnectionLimiter::acquire_shared(const IpAddress& client) {
  auto permit = acquire(client);
  if (std::holds_alternative<Refusal>(permit)) return nullptr;
  return std::make_shared<const Permit>(std::get<Permit>(std::move(permit)));
}

std::size_t ConnectionLimiter::total() const { return static_cast<std::size_t>(state_->limits.total); }

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
