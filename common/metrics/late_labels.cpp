// SPDX-License-Identifier: MIT
#include "common/metrics/late_labels.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace auralis {
namespace {

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

}  // namespace

std::string as_late_text(std::string_view text) {
  std::string shown(text.substr(0, sizeof(LateText) - 1));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return !is_printable(c); }, '?');
  return shown;
}

LateText late_text(std::string_view text) {
  LateText bytes{};
  if (text.size() >= sizeof bytes.bytes || !std::all_of(text.begin(), text.end(), is_printable)) {
    throw std::invalid_argument("invalid value of a metric's label: " + std::string(text));
  }
  text.copy(bytes.bytes, text.size());
  return bytes;
}

std::string text_of(const SharedRecord<LateText>& label) {
  const auto text = label.load();
  if (!text) return {};
  const char* const begin = std::begin(text->bytes);
  const char* const end = std::find(begin, std::end(text->bytes), '\0');
  const bool sound = end != std::end(text->bytes) && std::all_of(begin, end, is_printable) &&
                     std::all_of(end, std::end(text->bytes), [](char c) { return c == '\0'; });
  return sound ? std::string(begin, end) : std::string();
}

LateTexts::LateTexts(const LateLabels* labels) : labels_(labels) {
  if (labels == nullptr) return;
  for (std::size_t index = 0; index < kLateLabels; ++index) {
    // Read the version before the text: if the text is newer, forget_changed() finds a newer version.
    versions_[index] = (*labels)[index].version();
    texts_[index] = text_of((*labels)[index]);
  }
}

void LateTexts::forget_changed() {
  if (labels_ == nullptr) return;
  // Pairs with the release fence in MetricsWriter::set_late_label(): a reader that saw a word changed after a
  // label was emptied sees at least the version of the empty label.
  std::atomic_thread_fence(std::memory_order_acquire);
  for (std::size_t index = 0; index < kLateLabels; ++index) {
    if ((*labels_)[index].version() != versions_[index]) texts_[index].clear();
  }
}

}  // namespace auralis
