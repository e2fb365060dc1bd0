// SPDX-License-Identifier: MIT
// Values of labels that are given while a daemon runs. The declarations of its metrics (metrics.h) are
// constant once they are published, but stations come and go: a label may name one of kLateLabels texts that
// stand in shared memory beside the declarations. A series whose late label is empty is absent for readers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/segments/shared_words.h"

namespace auralis {

inline constexpr std::size_t kLateLabels = 32;

// As it lies in shared memory: printable ASCII, then zeros, at least one.
struct LateText {
  char bytes[64];
};

// One writer. All zeros is a valid beginning: all texts are empty.
using LateLabels = std::array<SharedRecord<LateText>, kLateLabels>;
static_assert(sizeof(LateText) == 64 && sizeof(LateLabels) == kLateLabels * 192,
              "kMetricsLayoutVersion names this layout");

// Throws std::invalid_argument for more than 63 bytes, and for bytes that are not printable ASCII.
LateText late_text(std::string_view text);

// The newest text; empty where none was stored, or its bytes are not what late_text() makes. Any thread.
std::string text_of(const SharedRecord<LateText>& label);

// The texts that belong to figures which are read after they were looked up. One thread.
class LateTexts {
 public:
  // Looks them up. Null: all are empty. `labels` must outlive it.
  explicit LateTexts(const LateLabels* labels);

  // To be called when the figures have been read: a text that has changed meanwhile is empty from now on, as
  // the figures read may be those of another.
  void forget_changed();

  const std::string& operator[](std::size_t index) const { return texts_[index]; }

 private:
  const LateLabels* labels_;
  std::array<std::uint64_t, kLateLabels> versions_{};
  std::array<std::string, kLateLabels> texts_;
};

}  // namespace auralis
