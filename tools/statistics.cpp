// SPDX-License-Identifier: MIT
#include "tools/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace auralis {
namespace {

unsigned bit_width(std::uint64_t value) {
  unsigned width = 0;
  for (; value > 0; value >>= 1U) ++width;
  return width;
}

}  // namespace

std::size_t LatencyHistogram::bucket_of(std::uint64_t us) {
  if (us < kExact) return us;
  us = std::min(us, (std::uint64_t{1} << kMostBits) - 1);
  const unsigned shift = bit_width(us) - kExactBits;
  return kExact + (shift - 1) * kSteps + ((us >> shift) - kSteps);
}

std::int64_t LatencyHistogram::last_of(std::size_t bucket) {
  if (bucket < kExact) return static_cast<std::int64_t>(bucket);
  const std::size_t shift = (bucket - kExact) / kSteps + 1;
  const std::uint64_t step = (bucket - kExact) % kSteps + kSteps;
  return static_cast<std::int64_t>(((step + 1) << shift) - 1);
}

void LatencyHistogram::add(std::int64_t us) {
  us = std::max<std::int64_t>(us, 0);
  ++buckets_.at(bucket_of(static_cast<std::uint64_t>(us)));
  ++count_;
  max_us_ = std::max(max_us_, us);
}

std::optional<std::int64_t> LatencyHistogram::percentile_us(double share) const {
  if (count_ == 0) return std::nullopt;
  const double wanted = std::ceil(share * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_.at(bucket);
    // In the last bucket is all that is longer, too.
    if (seen >= rank && bucket + 1 < buckets_.size()) return std::min(last_of(bucket), max_us_);
  }
  return max_us_;
}

void LatenessWindow::add(std::int64_t since_due_us, LatencyHistogram& lateness) {
  if (!begun_) origin_us_ = since_due_us;
  using Limits = std::numeric_limits<std::int32_t>;
  const auto offset_us = static_cast<std::int32_t>(
      std::clamp<std::int64_t>(since_due_us - origin_us_, Limits::min() / 2, Limits::max() / 2));
  earliest_us_ = begun_ ? std::min(earliest_us_, offset_us) : offset_us;
  begun_ = true;
  if (count_ == kWindow) flush(lateness);
  waiting_us_.at(count_++) = offset_us;
}

void LatenessWindow::flush(LatencyHistogram& lateness) {
  for (std::size_t i = 0; i < count_; ++i) lateness.add(waiting_us_.at(i) - earliest_us_);
  count_ = 0;
}

ChunkSequence::Step ChunkSequence::note(std::uint64_t seq) {
  missing_ = 0;
  if (!begun_) {
    begun_ = true;
    newest_ = seq;
    return Step::kFirst;
  }
  if (seq <= newest_) return Step::kRepeat;
  missing_ = seq - newest_ - 1;
  newest_ = seq;
  return missing_ > 0 ? Step::kGap : Step::kNext;
}

}  // namespace auralis
