// SPDX-License-Identifier: MIT
// The common part of typed segment readers: attach, validate, and follow the file that replaces an attached
// one. The type adds the layout only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "common/segments/segment.h"

namespace auralis {

// A read-only view of a segment. One thread at a time. `Layout` is default-constructible and has
//   static constexpr const char* kFileName;        // in the daemon's directory
//   static constexpr SegmentKind kKind;
//   static constexpr std::uint32_t kVersion;
//   static constexpr const char* kInvalid;         // "its ... is invalid; ...", ends describe()
//   bool read(const std::byte* payload, std::size_t bytes);
// read() is called for each attached file. It returns false if a writer of this layout cannot have written
// the payload; it may keep `payload`, which stays mapped until the next refresh() that returns true.
template <typename Layout>
class SegmentView {
 public:
  explicit SegmentView(const std::filesystem::path& directory)
      : segment_(directory / Layout::kFileName, Layout::kKind, Layout::kVersion) {}

  // As SegmentReader::refresh(), and validates the payload: true if what is attached changed.
  bool refresh() {
    if (!segment_.refresh()) return false;
    valid_ = segment_.state() == SegmentState::kReady &&
             layout_.read(segment_.payload(), segment_.payload_bytes());
    return true;
  }

  // Whether a file is attached and valid; otherwise layout() must not access the payload.
  bool ready() const { return valid_; }
  const Layout& layout() const { return layout_; }

  // The state as a sentence for a log line: what, where, what to do.
  std::string describe() const {
    const bool invalid = segment_.state() == SegmentState::kReady && !valid_;
    return segment_.describe() + (invalid ? std::string(", but ") + Layout::kInvalid : std::string());
  }

  const SegmentReader& segment() const { return segment_; }

 private:
  SegmentReader segment_;
  Layout layout_;
  bool valid_ = false;
};

}  // namespace auralis
