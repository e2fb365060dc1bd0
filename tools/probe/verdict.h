// SPDX-License-Identifier: MIT
// Compares what a listener received with the music that it should be. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/music/timeline.h"
#include "tools/probe/reception.h"

namespace auralis {

// Signal against difference that decoded Opus has at least, in each second.
inline constexpr double kLeastOpusSnrDb = 20;
// Likewise PCM of another engine, whose rounding alone differs.
inline constexpr double kLeastCloseSnrDb = 40;

struct Verdict {
  bool exact = false;            // all samples are the same, bit for bit; PCM only
  std::optional<double> snr_db;  // of the worst second; nothing if there is no difference
  std::int32_t peak = 0;         // of the received audio, of 32,767
  std::uint64_t gaps = 0;        // chunks whose numbers were left out
  std::uint64_t wrong = 0;       // gaps, silence in place of music, and PCM that is not as it must be
  std::string reason;            // what is wrong, in one line; empty: nothing
};

// Chunks from the first on whose numbers follow each other: those that are compared.
std::size_t consecutive_chunks(const Reception& reception);

// What needs no comparison: silence in place of music, gaps, an early end.
Verdict judge_delivery(const Reception& reception);

// `expected`: the music of the consecutive chunks, for Opus also of the chunk before them.
Verdict judge_pcm(const Reception& reception, const Timeline& timeline,
                  const std::vector<std::int16_t>& expected, Strictness strictness);
Verdict judge_opus(const Reception& reception, const Timeline& timeline,
                   const std::vector<std::int16_t>& expected);

}  // namespace auralis
