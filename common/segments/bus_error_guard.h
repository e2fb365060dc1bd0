// SPDX-License-Identifier: MIT
// Keeps a process alive if another one truncates a file that it has mapped. The kernel raises SIGBUS on
// access to a page beyond the end of the file; a guarded page is replaced by zeros instead, and the access
// continues: readers of a segment find zeros invalid, its writer loses the bytes.
#pragma once

#include <cstddef>

namespace auralis {

// Guards one mapping. The first one installs the process's handler for SIGBUS; a SIGBUS elsewhere keeps its
// former effect. Construction and destruction: one thread, while no other accesses the mapping.
class BusErrorGuard {
 public:
  // `begin` is page-aligned. Throws std::runtime_error if kMostGuards mappings are guarded already.
  BusErrorGuard(void* begin, std::size_t bytes);
  ~BusErrorGuard();
  BusErrorGuard(const BusErrorGuard&) = delete;
  BusErrorGuard& operator=(const BusErrorGuard&) = delete;

  // Whether a missing page was replaced since construction or rearm(). Any thread.
  bool hit() const;

  // Call after mapping the range again: resets hit().
  void rearm();

  static constexpr std::size_t kMostGuards = 1'024;

 private:
  std::size_t index_;
};

}  // namespace auralis
