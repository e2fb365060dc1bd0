// SPDX-License-Identifier: MIT
// A ring of audio chunks in shared memory: one writer that never waits, any number of readers that it does
// not know of. Chunk k lives in slot k mod slots. A slot's sequence word tells which chunk it holds and is
// looked at before and after the copy, so a torn or overtaken read is told, never delivered.
//
//     slot: [ sequence | samples, s16 interleaved, padded to 64 bytes ]
//     sequence 0: never written; 2k+1: chunk k being written; 2k+2: chunk k complete
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/segments/shared_words.h"

namespace auralis {

// Shape of a ring; the memory it needs follows from it alone.
struct RingGeometry {
  std::uint32_t slots = 0;          // chunks held
  std::uint32_t chunk_samples = 0;  // frames * channels

  std::size_t slot_bytes() const { return (8 + std::size_t{chunk_samples} * 2 + 63) / 64 * 64; }
  std::size_t bytes() const { return slot_bytes() * slots; }
};

enum class RingRead {
  kChunk,       // copied, whole
  kNotYet,      // the writer has not come to this chunk
  kLapped,      // the writer has already written over it
  kWriterGone,  // not there, and no writer lives that could bring it
};

// One thread. `memory` is geometry.bytes() long, 64-byte aligned, zeros or a former writer's.
class RingWriter {
 public:
  RingWriter(std::byte* memory, const RingGeometry& geometry);

  // Publishes chunk `chunk` (>= 0): chunk_samples samples. Wait-free.
  void write(std::int64_t chunk, const std::int16_t* samples);

  // Empties the ring, for a station that is another one: readers that still have the former one's chunks in
  // mind are told by something else.
  void clear();

  // The newest whole chunk in the memory, for a writer that takes over.
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

  // Copies chunk `chunk` (>= 0) into `samples` (chunk_samples long). Wait-free. What stands in `samples` is
  // of use after kChunk only. Never kWriterGone: that is the segment's to say (AudioReader::read).
  RingRead read(std::int64_t chunk, std::int16_t* samples) const;

  // The newest whole chunk, or nothing. Looks at every slot, one after the other: a writer that laps it
  // meanwhile, which no writer in real time does, can hide chunks from it.
  std::optional<std::int64_t> newest() const;

 private:
  const std::byte* memory_;
  RingGeometry geometry_;
};

}  // namespace auralis
