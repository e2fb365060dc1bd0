// SPDX-License-Identifier: MIT
#include "metricsd/own_metrics_memory.h"

namespace auralis {

OwnMetricsMemory::OwnMetricsMemory()
    : specs_(declared_metrics<OwnMetrics>()),
      words_(shard_words(specs_)),
      binder_(prepared(), words_.data(), specs_),
      metrics_(binder_) {}

SharedWord* OwnMetricsMemory::prepared() {
  prepare_shard(words_.data(), specs_);
  return words_.data();
}

std::string OwnMetricsMemory::late_label(std::size_t index) const { return text_of(late_labels_->at(index)); }

void OwnMetricsMemory::set_late_label(std::size_t index, std::string_view text) {
  const LateText bytes = late_text(text);
  if (late_label(index) == text) return;
  clear_late_series(words_.data(), specs_, index);
  late_labels_->at(index).store(bytes);
}

void OwnMetricsMemory::read(std::vector<MetricSample>& samples) const {
  read_metrics(specs_, words_.data(), 1, words_.size(), samples, late_labels_.get());
}

}  // namespace auralis
