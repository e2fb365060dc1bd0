// SPDX-License-Identifier: MIT
// Label values that are set while a daemon runs. The declarations of its metrics (metrics.h) are constant
// once published, but stations open and close: a label may refer to one of kLateLabels texts in shared memory
// beside the declarations. A series with an empty late label is absent for readers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/segments/shared_words.h"

namespace auralis {

// Late labels of configured stations (StationLabels): those below this.
inline constexpr std::size_t kStationLabels = 32;
// The other late labels: of auralis_build_info and auralis_engine_info.
enum LateLabelIndex : std::size_t {
  kVersionLabel = kStationLabels,
  kCommitLabel,
  kCompilerLabel,
  kEngineLabel,
  kDeviceLabel,
  kDeviceTypeLabel,
  kLateLabels  // their number
};

// The text in shared memory: printable ASCII, padded with at least one zero.
struct LateText {
  char bytes[64];
};

// The late labels in shared memory; one writer. All zeros is a valid initial state: all texts are empty.
using LateLabels = std::array<SharedRecord<LateText>, kLateLabels>;
static_assert(sizeof(LateText) == 64 && sizeof(LateLabels) == kLateLabels * 192,
              "kMetricsLayoutVersion names this layout");

// Text as a late label can hold it: other bytes than printable ASCII become '?', and it ends after 63 bytes.
std::string as_late_text(std::string_view text);

// Throws std::invalid_argument for more than 63 bytes, and for bytes that are not printable ASCII.
LateText late_text(std::string_view text);

// The newest text; empty if none was stored, or its bytes are not a result of late_text(). Any thread.
std::string text_of(const SharedRecord<LateText>& label);

// Metrics whose late labels can be set.
class LateLabelWriter {
 public:
  virtual ~LateLabelWriter() = default;

  // The text of late label `index`; empty if there is none. Throws std::out_of_range.
  virtual std::string late_label(std::size_t index) const = 0;

  // Names the series that carry late label `index`; with an empty text they are absent for readers. If the
  // text changes, these series restart, counts at 0 and gauges absent, so that a name never shows another's
  // counts. By the thread that writes these series. Throws std::out_of_range, and std::invalid_argument
  // unless the text is up to 63 bytes of printable ASCII; then nothing has changed.
  virtual void set_late_label(std::size_t index, std::string_view text) = 0;
};

// A copy of the texts, taken before the metrics that carry them are read. One thread.
class LateTexts {
 public:
  // Copies the texts. Null: all are empty. `labels` must outlive it.
  explicit LateTexts(const LateLabels* labels);

  // Call after reading the metrics: clears every text that has changed meanwhile, because the values read may
  // belong to another station.
  void forget_changed();

  const std::string& operator[](std::size_t index) const { return texts_[index]; }

 private:
  const LateLabels* labels_;
  std::array<std::uint64_t, kLateLabels> versions_{};
  std::array<std::string, kLateLabels> texts_;
};

}  // namespace auralis
