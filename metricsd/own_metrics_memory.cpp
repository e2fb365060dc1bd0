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

void OwnMetricsMemory::set_late_label(std::size_t index, std::string_view text) {
  auto& label = late_labels_->at(index);
  if (text_of(label) != text) label.store(late_text(text));
}

void OwnMetricsMemory::read(std::vector<MetricSample>& samples) const {
  read_metrics(specs_, words_.data(), 1, words_.size(), samples, late_labels_.get());
}

}  // namespace auralis
