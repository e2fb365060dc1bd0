// SPDX-License-Identifier: MIT
// Joins a station's chunks that are missing into holes, so that each is reported twice, when it begins and
// when it is over, however many chunks it has. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace auralis {

// Why listeners miss chunks of their station.
enum class HoleCause {
  kUnderrun,    // not rendered in time: silence is sent
  kSynthdGone,  // as well, and synthd does not run
  kOverrun,     // streamd was lapped, and skipped to the live position
  kBehind,      // streamd did not run for longer than the ring, and skipped to the live position
  kEncoding,    // not encoded in Opus in time: listeners of other formats have it
};

constexpr std::string_view hole_cause_name(HoleCause cause) {
  constexpr std::array<std::string_view, 5> kNames{"underrun", "synthd_gone", "overrun", "behind",
                                                   "encoding"};
  return kNames.at(static_cast<std::size_t>(cause));
}

struct Hole {
  HoleCause cause = HoleCause::kUnderrun;
  std::int64_t first = 0;    // the first chunk that is missing
  std::int64_t missing = 0;  // chunks, up to now
  bool over = false;
};

// Of one station. A hole is over once kCalm chunks in a row are there.
class HoleTracker {
 public:
  static constexpr std::int64_t kCalm = 10;

  // Returns the hole that begins or is over with this chunk; `missing`: why the chunk is. Missing chunks are
  // noted in ascending order, the same one more than once at will.
  std::optional<Hole> note(std::int64_t chunk, std::optional<HoleCause> missing) {
    if (missing) return note_missing(chunk, *missing);
    return hole_ && chunk - last_missing_ >= kCalm ? end() : std::nullopt;
  }

  bool in_hole() const { return hole_.has_value(); }

  // No chunk follows, or one with another number. Returns the hole that is over.
  std::optional<Hole> end() {
    if (hole_) hole_->over = true;
    return std::exchange(hole_, std::nullopt);
  }

 private:
  std::optional<Hole> note_missing(std::int64_t chunk, HoleCause cause) {
    const bool begins = !hole_;
    if (!begins && chunk == last_missing_) return std::nullopt;
    last_missing_ = chunk;
    if (begins) hole_ = Hole{cause, chunk, 0, false};
    ++hole_->missing;
    return begins ? hole_ : std::nullopt;
  }

  std::int64_t last_missing_ = 0;
  std::optional<Hole> hole_;
};

}  // namespace auralis
