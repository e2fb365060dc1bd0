// SPDX-License-Identifier: MIT
// Keeps a process alive when a file that it has mapped is cut short by another one. The kernel answers an
// access to a page beyond the end of the file with SIGBUS; a guarded page is replaced by zeros instead, and
// the access goes on: what reads a segment finds zeros invalid, what writes one loses the bytes.
#pragma once

#include <cstddef>

namespace auralis {

// Guards one mapping. The first one installs the process's handler for SIGBUS; a SIGBUS elsewhere has the
// effect that it had before. Construction and destruction: one thread, while no other accesses the mapping.
class BusErrorGuard {
 public:
  // `begin` is where a page begins. Throws std::runtime_error if kMostGuards mappings are guarded already.
  BusErrorGuard(void* begin, std::size_t bytes);
  ~BusErrorGuard();
  BusErrorGuard(const BusErrorGuard&) = delete;
  BusErrorGuard& operator=(const BusErrorGuard&) = delete;

  // Whether a page was missing, and was replaced, since construction or rearm(). Any thread.
  bool hit() const;

  // The range has been mapped again.
  void rearm();

  static constexpr std::size_t kMostGuards = 1'024;

 private:
  std::size_t index_;
};

}  // namespace auralis
