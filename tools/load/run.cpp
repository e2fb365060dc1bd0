// SPDX-License-Identifier: MIT
#include "tools/load/run.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace auralis {
namespace {

constexpr std::int64_t kSettleLimitNs = 10 * kNsPerSecond;  // after the last connect()
constexpr std::int64_t kWarmUpNs = 2 * kNsPerSecond;
constexpr std::int64_t kWakeUpNs = kNsPerSecond;
constexpr std::int64_t kTurnNs = 50 * kNsPerMs;  // between two looks at the clock
constexpr std::int64_t kShowPeriodNs = 200 * kNsPerMs;
constexpr std::size_t kDescriptorsBeside = 32;
constexpr std::size_t kStartsInARow = 64;  // so that connected listeners are read in time

void allow_descriptors(std::size_t listeners) {
  const rlim_t wanted = listeners + kDescriptorsBeside;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  limit.rlim_max = std::max(limit.rlim_max, wanted);  // which only root may raise
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    throw std::runtime_error(std::to_string(listeners) + " listeners need " + std::to_string(wanted) +
                             " descriptors, above this process's limit: raise it (ulimit -Hn)");
  }
}

}  // namespace

LoadRun::LoadRun(const LoadOptions& options)
    : options_(options),
      server_(resolve(options.url)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      shared_{options_, server_, result_.tally, epoll_.get(), {}},
      terminal_(::isatty(STDERR_FILENO) == 1) {
  if (!epoll_.is_open()) throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
  allow_descriptors(options.listeners);
  if (options.server > 0 && !process_usage(options.server)) {
    throw std::runtime_error("there is no process " + std::to_string(options.server));
  }
}

LoadResult LoadRun::run() {
  if (options_.server > 0) result_.server_before = process_usage(options_.server);
  connect_and_settle();
  serve_until(now_ns() + kWarmUpNs, "warming up");
  if (open_now() > 0) measure();
  check_stalled();
  for (Listener& listener : listeners_) listener.close();
  if (terminal_) std::fputs("\r\x1b[K", stderr);
  return std::move(result_);
}

void LoadRun::connect_and_settle() {
  const std::int64_t begin_ns = now_ns();
  const double period_ns = 1e9 / options_.ramp;
  const auto due_ns = [&](std::size_t i) {
    return begin_ns + static_cast<std::int64_t>(static_cast<double>(i) * period_ns);
  };
  while (listeners_.size() < options_.listeners) {
    const std::int64_t now = now_ns();
    for (std::size_t i = 0; i < kStartsInARow; ++i) {
      const std::size_t next = listeners_.size();
      if (next == options_.listeners || due_ns(next) > now) break;
      listeners_.emplace_back(shared_, next < options_.stalled);
      listeners_.back().start(now);
    }
    serve(due_ns(listeners_.size()));
    show("connecting", static_cast<double>(listeners_.size()), static_cast<double>(options_.listeners));
  }
  const std::int64_t limit_ns = now_ns() + kSettleLimitNs;
  while (!all_settled() && now_ns() < limit_ns) serve(std::min(limit_ns, now_ns() + kTurnNs));
  for (Listener& listener : listeners_) {
    if (listener.waits_for_handshake()) listener.reject("no answer to the handshake within 10 s");
  }
  const std::int64_t last_ns = std::max(result_.tally.last_open_ns, begin_ns);
  result_.ramp_s = static_cast<double>(last_ns - begin_ns) / 1e9;
}

void LoadRun::measure() {
  if (options_.server > 0) result_.server_begin = process_usage(options_.server);
  const double own_before_s = own_cpu_s();
  const std::int64_t begin_ns = now_ns();
  result_.tally.measuring = true;
  const auto after = [&](double seconds) { return begin_ns + static_cast<std::int64_t>(seconds * 1e9); };
  if (options_.stall_s > 0) {
    serve_until(after(std::min(options_.stall_s, options_.seconds)), "measuring");
    for (Listener& listener : listeners_) listener.read_again();
  }
  if (options_.reset > 0) {
    serve_until(after(options_.seconds / 2), "measuring");
    for (std::size_t i = options_.listeners - options_.reset; i < listeners_.size(); ++i)
      listeners_[i].reset();
  }
  serve_until(after(options_.seconds), "measuring");
  result_.tally.measuring = false;
  const std::int64_t end_ns = now_ns();
  result_.own_cpu_s = own_cpu_s() - own_before_s;
  if (options_.server > 0) result_.server_end = process_usage(options_.server);
  result_.measured_s = static_cast<double>(end_ns - begin_ns) / 1e9;
  for (Listener& listener : listeners_) {
    listener.end_of_measurement(end_ns);
    result_.dropped.push_back(listener.dropped());
    result_.server_dropped.push_back(listener.server_dropped());
  }
}

void LoadRun::check_stalled() {
  if (options_.stalled == 0 || options_.stall_s > 0) return;
  for (Listener& listener : listeners_) listener.resume();
  serve_until(now_ns() + kWakeUpNs, "waking the stalled");
}

void LoadRun::serve_until(std::int64_t end_ns, const char* what) {
  const std::int64_t begin_ns = now_ns();
  for (std::int64_t now = begin_ns; now < end_ns && open_now() > 0; now = now_ns()) {
    const std::int64_t turn_end_ns = std::min(end_ns, now + kTurnNs);
    while (now_ns() < turn_end_ns) serve(turn_end_ns);
    show(what, static_cast<double>(now - begin_ns) / 1e9, static_cast<double>(end_ns - begin_ns) / 1e9);
  }
}

void LoadRun::serve(std::int64_t until_ns) {
  std::array<epoll_event, 256> events{};
  const std::int64_t wait_ns = std::clamp<std::int64_t>(until_ns - now_ns(), 0, kTurnNs);
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>((wait_ns + kNsPerMs - 1) / kNsPerMs));
  for (int i = 0; i < count; ++i) {
    static_cast<Listener*>(events.at(static_cast<std::size_t>(i)).data.ptr)->on_event();
  }
}

bool LoadRun::all_settled() const {
  return std::all_of(listeners_.begin(), listeners_.end(), [](const Listener& one) { return one.settled(); });
}

std::size_t LoadRun::open_now() const {
  const Tally& tally = result_.tally;
  return tally.opened - tally.losses() - tally.stalled_lost - tally.reset;
}

void LoadRun::show(const char* what, double done, double of) {
  if (!terminal_ || now_ns() < next_show_ns_) return;
  next_show_ns_ = now_ns() + kShowPeriodNs;
  const Tally& tally = result_.tally;
  std::fprintf(stderr, "\r%s: %.0f of %.0f; %zu open, %zu refused, %zu lost\x1b[K", what, done, of,
               open_now(), tally.failures(), tally.losses());
}

}  // namespace auralis
