// SPDX-License-Identifier: MIT
#include "common/segments/bus_error_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <stdexcept>

#include "common/base/mutex.h"

namespace auralis {
namespace {

struct Range {
  std::atomic<std::uintptr_t> begin{0};  // 0: free
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> hit{false};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free,
              "a signal handler may use nothing else");

// A signal handler is global to the process, and so is its data. Constant-initialised: valid before any other
// code runs, and never destroyed.
std::array<Range, BusErrorGuard::kMostGuards> ranges;
struct sigaction action_before {};
std::uintptr_t page_bytes = 0;

// Async-signal-safe: uses only atomics, and mmap as a plain system call.
bool replace_page(std::uintptr_t address) {
  for (Range& range : ranges) {
    const std::uintptr_t begin = range.begin.load(std::memory_order_acquire);
    const std::uintptr_t end = range.end.load(std::memory_order_relaxed);
    if (begin == 0 || address < begin || address >= end) continue;
    // Replace all pages to the end: a file that ends before this page lacks the later ones, too.
    const std::uintptr_t page = address / page_bytes * page_bytes;
    void* const at = reinterpret_cast<void*>(page);  // NOLINT(performance-no-int-to-ptr): from si_addr
    void* const mapped =
        ::mmap(at, end - page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    range.hit.store(true, std::memory_order_release);
    return mapped == at;
  }
  return false;
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  if (replace_page(address)) {
    errno = error;
    return;
  }
  if ((action_before.sa_flags & SA_SIGINFO) != 0) return action_before.sa_sigaction(signal, info, context);
  if (action_before.sa_handler != SIG_DFL && action_before.sa_handler != SIG_IGN)
    return action_before.sa_handler(signal);
  // The access is repeated, and ends the process as it would without this handler.
  ::sigaction(signal, &action_before, nullptr);
}

// Also after a library (LLVM, used by PoCL) has replaced our handler.
void ensure_handler() {
  struct sigaction current {};
  ::sigaction(SIGBUS, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == &on_bus_error) return;
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  action_before = current;
  struct sigaction ours {};
  ours.sa_sigaction = &on_bus_error;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  ::sigaction(SIGBUS, &ours, nullptr);
}

// Serialises the construction of guards by several threads.
Mutex& registration() {
  static Mutex mutex;
  return mutex;
}

}  // namespace

BusErrorGuard::BusErrorGuard(void* begin, std::size_t bytes) : index_(0) {
  const MutexLock lock(registration());
  ensure_handler();
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  assert(first % page_bytes == 0);
  while (index_ < ranges.size() && ranges[index_].begin.load(std::memory_order_relaxed) != 0) ++index_;
  if (index_ == ranges.size()) throw std::runtime_error("too many segments are mapped at the same time");
  Range& range = ranges[index_];
  range.hit.store(false, std::memory_order_relaxed);
  range.end.store((first + bytes + page_bytes - 1) / page_bytes * page_bytes, std::memory_order_relaxed);
  // Pairs with the acquire load of the handler: it sees the end that belongs to the begin.
  range.begin.store(first, std::memory_order_release);
}

BusErrorGuard::~BusErrorGuard() { ranges[index_].begin.store(0, std::memory_order_release); }

bool BusErrorGuard::hit() const { return ranges[index_].hit.load(std::memory_order_acquire); }

void BusErrorGuard::rearm() { ranges[index_].hit.store(false, std::memory_order_release); }

}  // namespace auralis
