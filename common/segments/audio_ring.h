// SPDX-License-Identifier: MIT
// A ring of audio chunks in shared memory: one wait-free writer, any number of readers, which it does not
// know. Chunk k lives in slot k mod slots. A slot's sequence word says which chunk it holds; it is checked
// before and after the copy, so a torn or lapped read is detected, never delivered.
//
//     slot: [ sequence | samples, s16 interleaved, padded to 64 bytes ]
//     sequence 0: never written; 2k+1: chunk k being written; 2k+2: chunk k complete
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/segments/shared_words.h"

namespace auralis {

// Shape of a ring; it alone determines the memory needed.
struct RingGeometry {
  std::uint32_t slots = 0;          // chunks held
  std::uint32_t chunk_samples = 0;  // frames * channels

  std::size_t slot_bytes() const { return (8 + std::size_t{chunk_samples} * 2 + 63) / 64 * 64; }
  std::size_t bytes() const { return slot_bytes() * slots; }
};

enum class RingRead {
  kChunk,       // copied completely
  kNotYet,      // not written yet, or its slot was damaged
  kLapped,      // lapped: already overwritten
  kWriterGone,  // not written, and the writer is dead
};

// One thread at a time. `memory` is geometry.bytes() long, 64-byte aligned, zeros or a former writer's.
class RingWriter {
 public:
  RingWriter(std::byte* memory, const RingGeometry& geometry);

  // Publishes chunk `chunk` (>= 0): chunk_samples samples. Wait-free.
  void write(std::int64_t chunk, const std::int16_t* samples);

  // Empties the ring, for the row's next station. Readers of the former station notice by the row's
  // generation only.
  void clear();

  // The newest complete chunk in the memory, for a writer that takes over.
  std::optional<std::int64_t> newest() const;

 private:
  SharedWord* slot(std::int64_t chunk) const;

  std::byte* memory_;
  RingGeometry geometry_;
};

// Any thread; copies share nothing.
class RingReader {
 public:
  RingReader(const std::byte* memory, const RingGeometry& geometry);

  // Copies chunk `chunk` (>= 0) into `samples` (chunk_samples long), which are meaningful after kChunk only.
  // Wait-free. Never returns kWriterGone: only the segment knows (AudioReader::read).
  RingRead read(std::int64_t chunk, std::int16_t* samples) const;

  // The newest complete chunk, or nothing. Scans all slots: a writer that laps the scan, which does not
  // happen in real time, can hide chunks from it.
  std::optional<std::int64_t> newest() const;

 private:
  bool lapping(std::uint64_t sequence, std::int64_t chunk) const;

  const std::byte* memory_;
  RingGeometry geometry_;
};

}  // namespace auralis
