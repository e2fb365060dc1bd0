// SPDX-License-Identifier: MIT
#include "common/segments/audio_ring.h"

#include <algorithm>
#include <cassert>

namespace auralis {
namespace {

constexpr std::uint64_t writing(std::int64_t chunk) { return static_cast<std::uint64_t>(chunk) * 2 + 1; }
constexpr std::uint64_t complete(std::int64_t chunk) { return static_cast<std::uint64_t>(chunk) * 2 + 2; }

const SharedWord* slot_of(const std::byte* memory, const RingGeometry& geometry, std::uint64_t index) {
  return reinterpret_cast<const SharedWord*>(memory + index * geometry.slot_bytes());
}

std::optional<std::int64_t> newest_complete(const std::byte* memory, const RingGeometry& geometry) {
  std::optional<std::int64_t> newest;
  for (std::uint32_t index = 0; index < geometry.slots; ++index) {
    const std::uint64_t sequence = slot_of(memory, geometry, index)->load(std::memory_order_acquire);
    if (sequence == 0 || sequence % 2 != 0) continue;
    const auto chunk = static_cast<std::int64_t>(sequence / 2 - 1);
    // Damaged: a writer never stores this value here.
    if (static_cast<std::uint64_t>(chunk) % geometry.slots != index) continue;
    newest = std::max(newest.value_or(chunk), chunk);
  }
  return newest;
}

[[maybe_unused]] bool is_ring(const std::byte* memory, const RingGeometry& geometry) {
  return reinterpret_cast<std::uintptr_t>(memory) % 64 == 0 && geometry.slots > 0 &&
         geometry.chunk_samples > 0;
}

}  // namespace

RingWriter::RingWriter(std::byte* memory, const RingGeometry& geometry)
    : memory_(memory), geometry_(geometry) {
  assert(is_ring(memory, geometry));
}

SharedWord* RingWriter::slot(std::int64_t chunk) const {
  const std::uint64_t index = static_cast<std::uint64_t>(chunk) % geometry_.slots;
  return reinterpret_cast<SharedWord*>(memory_ + index * geometry_.slot_bytes());
}

void RingWriter::write(std::int64_t chunk, const std::int16_t* samples) {
  assert(chunk >= 0);
  SharedWord* sequence = slot(chunk);
  sequence->store(writing(chunk), std::memory_order_relaxed);
  // Pairs with the acquire fence in read(): a reader that saw one of the new samples sees the odd sequence,
  // too.
  std::atomic_thread_fence(std::memory_order_release);
  store_words(sequence + 1, samples, std::size_t{geometry_.chunk_samples} * sizeof(std::int16_t));
  sequence->store(complete(chunk), std::memory_order_release);
}

void RingWriter::clear() {
  for (std::uint32_t index = 0; index < geometry_.slots; ++index)
    slot(index)->store(0, std::memory_order_relaxed);
}

std::optional<std::int64_t> RingWriter::newest() const { return newest_complete(memory_, geometry_); }

RingReader::RingReader(const std::byte* memory, const RingGeometry& geometry)
    : memory_(memory), geometry_(geometry) {
  assert(is_ring(memory, geometry));
}

RingRead RingReader::read(std::int64_t chunk, std::int16_t* samples) const {
  assert(chunk >= 0);
  const SharedWord* sequence =
      slot_of(memory_, geometry_, static_cast<std::uint64_t>(chunk) % geometry_.slots);
  // Pairs with the release store of the complete sequence in write(): the samples of that chunk are visible.
  const std::uint64_t before = sequence->load(std::memory_order_acquire);
  if (before < complete(chunk)) return RingRead::kNotYet;
  if (before > complete(chunk)) return lapping(before, chunk) ? RingRead::kLapped : RingRead::kNotYet;
  load_words(samples, sequence + 1, std::size_t{geometry_.chunk_samples} * sizeof(std::int16_t));
  std::atomic_thread_fence(std::memory_order_acquire);
  return sequence->load(std::memory_order_relaxed) == before ? RingRead::kChunk : RingRead::kLapped;
}

// Whether a writer can have stored this sequence in the slot of `chunk`; else another process damaged it.
bool RingReader::lapping(std::uint64_t sequence, std::int64_t chunk) const {
  const std::uint64_t ahead = (sequence - 1) / 2 - static_cast<std::uint64_t>(chunk);
  return ahead % geometry_.slots == 0;
}

std::optional<std::int64_t> RingReader::newest() const { return newest_complete(memory_, geometry_); }

}  // namespace auralis
