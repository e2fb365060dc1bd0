// SPDX-License-Identifier: MIT
// Bytes that one process writes while others read them, moved as relaxed atomic words: a torn read is then a
// wrong value that a version check detects, never undefined behaviour (Boehm, "Can seqlocks get along with
// programming language memory models?", MSPC 2012).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>

namespace auralis {

using SharedWord = std::atomic<std::uint64_t>;
static_assert(SharedWord::is_always_lock_free && sizeof(SharedWord) == 8 && alignof(SharedWord) == 8,
              "a shared word is a plain lock-free 64-bit cell in every process");

constexpr std::size_t words_for(std::size_t bytes) { return (bytes + 7) / 8; }

// Copies `bytes` bytes into words_for(bytes) words; the last word is padded with zeros.
inline void store_words(SharedWord* to, const void* from, std::size_t bytes) {
  const auto* source = static_cast<const unsigned char*>(from);
  for (; bytes >= 8; bytes -= 8, source += 8, ++to) {
    std::uint64_t word;
    std::memcpy(&word, source, 8);
    to->store(word, std::memory_order_relaxed);
  }
  if (bytes > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, source, bytes);
    to->store(word, std::memory_order_relaxed);
  }
}

// The reverse: reads words_for(bytes) words, writes exactly `bytes` bytes.
inline void load_words(void* to, const SharedWord* from, std::size_t bytes) {
  auto* target = static_cast<unsigned char*>(to);
  for (; bytes >= 8; bytes -= 8, target += 8, ++from) {
    const std::uint64_t word = from->load(std::memory_order_relaxed);
    std::memcpy(target, &word, 8);
  }
  if (bytes > 0) {
    const std::uint64_t word = from->load(std::memory_order_relaxed);
    std::memcpy(target, &word, bytes);
  }
}

// One value of T with one writer and any number of readers. Double-buffered, so that a writer killed in the
// middle of a store leaves the last complete value in force. All zeros is a valid, empty record.
template <typename T>
class SharedRecord {
  static_assert(std::is_trivially_copyable_v<T>, "what is shared is bytes, never an object");

 public:
  // Writer only. Wait-free.
  void store(const T& value) {
    const std::uint64_t next = version_.load(std::memory_order_relaxed) + 1;
    // Pairs with the acquire fence in load(): a reader that saw a word of this store sees at least the
    // version before it, and so knows that its buffer was being overwritten.
    std::atomic_thread_fence(std::memory_order_release);
    store_words(buffers_[next & 1], &value, sizeof(T));
    version_.store(next, std::memory_order_release);
  }

  // Any thread. The newest complete value; nothing if none was ever stored. Retries while the writer laps it,
  // at most kAttempts times (then nothing: the memory is damaged).
  std::optional<T> load() const {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      // Pairs with the release store of the version: the words of that version are visible.
      const std::uint64_t version = version_.load(std::memory_order_acquire);
      if (version == 0) return std::nullopt;
      T value;
      load_words(&value, buffers_[version & 1], sizeof(T));
      std::atomic_thread_fence(std::memory_order_acquire);
      if (version_.load(std::memory_order_relaxed) == version) return value;
    }
    return std::nullopt;
  }

  // Number of stores so far. Any thread: cheap to poll for a change.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  static constexpr int kAttempts = 1000;

  alignas(64) SharedWord version_;
  SharedWord buffers_[2][words_for(sizeof(T))];
};

}  // namespace auralis
