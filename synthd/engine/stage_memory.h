// SPDX-License-Identifier: MIT
// Allocator of the stages' working memory: aligned to a cache line, so that few vectors straddle two, and
// large blocks in huge pages, so that reverb accesses cause fewer TLB misses. Any thread.
#pragma once

#include <sys/mman.h>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace auralis {

template <typename T>
struct StageAllocator {
  using value_type = T;

  static constexpr std::size_t kCacheLine = 64;
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;

  StageAllocator() = default;
  template <typename Other>
  StageAllocator(const StageAllocator<Other>& /*other*/) noexcept {}

  static std::align_val_t alignment(std::size_t count) {
    return std::align_val_t{count * sizeof(T) >= kHugePage ? kHugePage : kCacheLine};
  }
  T* allocate(std::size_t count) {
    void* memory = ::operator new(count * sizeof(T), alignment(count));
    // Only a hint: without free huge pages the kernel uses ordinary ones.
    if (count * sizeof(T) >= kHugePage) madvise(memory, count * sizeof(T), MADV_HUGEPAGE);
    assert(reinterpret_cast<std::uintptr_t>(memory) % kCacheLine == 0);
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) noexcept { ::operator delete(memory, alignment(count)); }

  friend bool operator==(const StageAllocator& /*a*/, const StageAllocator& /*b*/) { return true; }
  friend bool operator!=(const StageAllocator& /*a*/, const StageAllocator& /*b*/) { return false; }
};

template <typename T>
using StageMemory = std::vector<T, StageAllocator<T>>;

}  // namespace auralis
