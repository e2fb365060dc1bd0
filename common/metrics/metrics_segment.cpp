// SPDX-License-Identifier: MIT
#include "common/metrics/metrics_segment.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string_view>

#include "common/base/fingerprint.h"
#include "common/base/thread_checker.h"
#include "common/segments/segment_view.h"

namespace auralis {
namespace {

struct MetricsHeader {
  SharedWord metric_count;
  SharedWord shard_count;
  SharedWord shard_stride;   // words from one shard to the next
  SharedWord began_unix_ns;  // wall time at which the counts began, at 0; 0: unknown
  SharedWord reserved[4];
};
static_assert(sizeof(MetricsHeader) == 64);

// A declaration as plain bytes. Strings end with a zero.
struct MetricEntry {
  char name[96];
  char help[256];
  std::uint32_t type;
  std::uint32_t label_count;
  std::uint32_t bound_count;
  std::uint32_t sparse;                          // 0 or 1
  std::uint16_t late_numbers[kMaxMetricLabels];  // of each label: 1 + index of the late label; 0: constant
  struct {
    char name[32];
    char value[64];
  } labels[kMaxMetricLabels];
  double bounds[kMaxMetricBounds];
};
static_assert(sizeof(MetricEntry) == 952 && std::is_trivially_copyable_v<MetricEntry>,
              "kMetricsLayoutVersion names this layout");
constexpr std::size_t kEntryWords = words_for(sizeof(MetricEntry));
// Size of the part before the entries: whole cache lines.
constexpr std::size_t kFrontBytes = sizeof(MetricsHeader) + sizeof(LateLabels);
static_assert(kFrontBytes % 64 == 0);
constexpr std::size_t kMaxMetrics = 10'000;
constexpr std::size_t kMaxShards = 1'000;

template <std::size_t N>
void put(char (&to)[N], const std::string& from) {
  if (from.size() >= N) throw std::logic_error("metric text is too long: " + from);
  from.copy(to, N - 1);
}

template <std::size_t N>
std::string get(const char (&from)[N]) {
  return {from, ::strnlen(from, N)};
}

MetricEntry entry_of(const MetricSpec& spec) {
  MetricEntry entry{};
  put(entry.name, spec.name);
  put(entry.help, spec.help);
  entry.type = static_cast<std::uint32_t>(spec.type);
  entry.label_count = static_cast<std::uint32_t>(spec.labels.size());
  entry.bound_count = static_cast<std::uint32_t>(spec.bounds.size());
  entry.sparse = spec.sparse ? 1 : 0;
  for (std::size_t label = 0; label < spec.labels.size(); ++label) {
    put(entry.labels[label].name, spec.labels[label].name);
    put(entry.labels[label].value, spec.labels[label].value);
    const auto& late_index = spec.labels[label].late_index;
    if (late_index) entry.late_numbers[label] = static_cast<std::uint16_t>(1 + *late_index);
  }
  std::copy(spec.bounds.begin(), spec.bounds.end(), entry.bounds);
  return entry;
}

// False if the bytes cannot be a declaration.
bool spec_of(const MetricEntry& entry, MetricSpec& spec) {
  if (entry.type < 1 || entry.type > 3 || entry.label_count > kMaxMetricLabels ||
      entry.bound_count > kMaxMetricBounds || entry.sparse > 1) {
    return false;
  }
  spec = {get(entry.name), get(entry.help), static_cast<MetricType>(entry.type), {}, {}, entry.sparse == 1};
  if (spec.name.empty()) return false;
  for (std::uint32_t label = 0; label < entry.label_count; ++label) {
    MetricLabel& read =
        spec.labels.emplace_back(MetricLabel{get(entry.labels[label].name), get(entry.labels[label].value)});
    const std::size_t late_number = entry.late_numbers[label];
    if (late_number > kLateLabels) return false;
    if (late_number > 0) read.late_index = late_number - 1;
  }
  spec.bounds.assign(entry.bounds, entry.bounds + entry.bound_count);
  const auto out_of_order = [](double a, double b) { return !(a < b); };
  return std::all_of(spec.bounds.begin(), spec.bounds.end(),
                     [](double bound) { return std::isfinite(bound); }) &&
         std::adjacent_find(spec.bounds.begin(), spec.bounds.end(), out_of_order) == spec.bounds.end();
}

// Words from one shard to the next: whole cache lines, so that shards share none.
std::size_t shard_stride(const std::vector<MetricSpec>& specs) { return (shard_words(specs) + 7) / 8 * 8; }

SegmentFormat format_of(const std::vector<MetricSpec>& specs, std::size_t shards) {
  Fingerprint fingerprint;
  fingerprint.add(shards);
  for (const auto& spec : specs) {
    const MetricEntry entry = entry_of(spec);
    fingerprint.add(std::string_view(reinterpret_cast<const char*>(&entry), sizeof entry));
  }
  const std::size_t words = specs.size() * kEntryWords + shards * shard_stride(specs);
  // One more cache line, since the entries need not end at a boundary.
  return {SegmentKind::kMetrics, kMetricsLayoutVersion, kFrontBytes + words * 8 + 64, fingerprint.value()};
}

// Word at which shard 0 begins, counted from the first entry; cache-line aligned, so that shards share none.
std::size_t first_shard_word(std::size_t metrics) { return (metrics * kEntryWords + 7) / 8 * 8; }

// The validated declarations of a payload.
struct MetricsView {
  static constexpr const char* kFileName = "metrics";
  static constexpr SegmentKind kKind = SegmentKind::kMetrics;
  static constexpr std::uint32_t kVersion = kMetricsLayoutVersion;
  static constexpr const char* kInvalid =
      "its declarations are invalid; remove the file and restart its daemon";

  const std::byte* payload = nullptr;
  std::vector<MetricSpec> specs;
  std::size_t shard_count = 0;
  std::size_t stride = 0;

  const LateLabels& late_labels() const {
    return *reinterpret_cast<const LateLabels*>(payload + sizeof(MetricsHeader));
  }
  // 0: unknown.
  std::int64_t began_unix_ns() const {
    const auto& header = *reinterpret_cast<const MetricsHeader*>(payload);
    const auto ns = static_cast<std::int64_t>(header.began_unix_ns.load(std::memory_order_relaxed));
    return std::max<std::int64_t>(0, ns);
  }
  const SharedWord* words() const { return reinterpret_cast<const SharedWord*>(payload + kFrontBytes); }

  bool read(const std::byte* bytes, std::size_t byte_count) {
    specs.clear();
    if (byte_count < kFrontBytes) return false;
    payload = bytes;
    const auto& header = *reinterpret_cast<const MetricsHeader*>(payload);
    const std::uint64_t count = header.metric_count.load(std::memory_order_relaxed);
    shard_count = header.shard_count.load(std::memory_order_relaxed);
    stride = header.shard_stride.load(std::memory_order_relaxed);
    const std::size_t available = (byte_count - kFrontBytes) / sizeof(SharedWord);
    if (count > kMaxMetrics || shard_count > kMaxShards || stride > available) return false;
    if (first_shard_word(count) + shard_count * stride > available) return false;
    for (std::size_t metric = 0; metric < count; ++metric) {
      MetricEntry entry;
      load_words(&entry, words() + metric * kEntryWords, sizeof entry);
      if (!spec_of(entry, specs.emplace_back())) return false;
    }
    return shard_stride(specs) == stride;
  }
};

}  // namespace

struct MetricsWriter::Impl {
  std::vector<MetricSpec> specs;
  SegmentWriter segment;
  // The private copy of the payload, which the handles write to and the shared one is restored from.
  struct alignas(64) Line {
    std::array<SharedWord, 8> words;
  };
  std::vector<Line> lines;
  std::size_t word_count;
  std::deque<MetricBinder> shards;  // a deque: binders must not move
  ThreadChecker housekeeper;
  ThreadChecker worker;  // of beat() and set_late_label()

  Impl(const std::filesystem::path& directory, const std::vector<MetricSpec>& s, std::size_t shard_count,
       std::int64_t unix_ns)
      : specs(s),
        segment(directory / MetricsView::kFileName, format_of(s, shard_count)),
        lines((format_of(s, shard_count).payload_bytes + sizeof(Line) - 1) / sizeof(Line)),
        word_count(format_of(s, shard_count).payload_bytes / sizeof(SharedWord)) {
    if (segment.taken_over()) {
      for (std::size_t word = 0; word < word_count; ++word)
        image()[word].store(shown()[word].load(std::memory_order_relaxed), std::memory_order_relaxed);
    } else {
      header().began_unix_ns.store(static_cast<std::uint64_t>(unix_ns), std::memory_order_relaxed);
    }
    describe(shard_count);
    for (std::size_t shard = 0; shard < shard_count; ++shard) prepare_shard(shard_in(image(), shard), specs);
  }

  MetricsHeader& header() { return *reinterpret_cast<MetricsHeader*>(image()); }
  SharedWord* image() { return lines.front().words.data(); }
  SharedWord* shown() const { return reinterpret_cast<SharedWord*>(segment.payload()); }
  static LateLabels& labels_in(SharedWord* payload) {
    return *reinterpret_cast<LateLabels*>(payload + words_for(sizeof(MetricsHeader)));
  }
  SharedWord* shard_in(SharedWord* payload, std::size_t shard) const {
    return payload + words_for(kFrontBytes) + first_shard_word(specs.size()) + shard * shard_stride(specs);
  }

  void describe(std::size_t shard_count) {
    header().metric_count.store(specs.size(), std::memory_order_relaxed);
    header().shard_count.store(shard_count, std::memory_order_relaxed);
    header().shard_stride.store(shard_stride(specs), std::memory_order_relaxed);
    for (std::size_t metric = 0; metric < specs.size(); ++metric) {
      const MetricEntry entry = entry_of(specs[metric]);
      store_words(image() + words_for(kFrontBytes) + metric * kEntryWords, &entry, sizeof entry);
    }
  }

  // Restores the shared words that differ from the private copy. Whether any did.
  bool show(std::size_t begin, std::size_t end) {
    SharedWord* const to = shown();
    bool changed = false;
    for (std::size_t word = begin; word < end; ++word) {
      for (;;) {
        // Load the shared word first: if its thread stores it meanwhile, the private word is the newer one.
        const std::uint64_t is = to[word].load(std::memory_order_acquire);
        const std::uint64_t right = image()[word].load(std::memory_order_acquire);
        if (is == right) break;
        to[word].store(right, std::memory_order_release);
        changed = true;
      }
    }
    return changed;
  }

  static constexpr std::size_t kLabelsBegin = words_for(sizeof(MetricsHeader));
  static constexpr std::size_t kLabelsEnd = words_for(kFrontBytes);
};

MetricsWriter::MetricsWriter(const std::filesystem::path& directory, const std::vector<MetricSpec>& specs,
                             std::size_t shards, std::int64_t now_ns, std::int64_t unix_ns)
    : impl_(std::make_unique<Impl>(directory, specs, shards, unix_ns)) {
  impl_->show(0, impl_->word_count);
  for (std::size_t shard = 0; shard < shards; ++shard) {
    impl_->shards.emplace_back(impl_->shard_in(impl_->image(), shard), impl_->shard_in(impl_->shown(), shard),
                               impl_->specs);
  }
  impl_->segment.publish(now_ns);
}
MetricsWriter::~MetricsWriter() = default;

MetricBinder& MetricsWriter::shard(std::size_t shard) { return impl_->shards.at(shard); }

void MetricsWriter::detach() noexcept { impl_->worker.detach(); }

void MetricsWriter::beat(std::int64_t now_ns) {
  assert(impl_->worker.is_current());
  impl_->segment.beat(now_ns);
  impl_->show(Impl::kLabelsBegin, Impl::kLabelsEnd);
}

void MetricsWriter::run_housekeeping(std::int64_t now_ns) {
  assert(impl_->housekeeper.is_current());
  const bool in_place = impl_->segment.in_place();
  if (!in_place) impl_->segment.replace();
  // Report only words that are constant: words of a shard may differ while their thread stores them.
  const auto entries_end = Impl::kLabelsEnd + first_shard_word(impl_->specs.size());
  bool overwritten = impl_->show(0, in_place ? Impl::kLabelsBegin : Impl::kLabelsEnd);
  overwritten |= impl_->show(Impl::kLabelsEnd, entries_end);
  if (in_place && overwritten) impl_->segment.report_overwritten();
  impl_->show(entries_end, impl_->word_count);
  if (!in_place) impl_->segment.publish(now_ns);
}

std::string MetricsWriter::late_label(std::size_t index) const {
  return text_of(Impl::labels_in(impl_->image()).at(index));
}

void MetricsWriter::set_late_label(std::size_t index, std::string_view text) {
  assert(impl_->worker.is_current());
  const LateText bytes = late_text(text);
  SharedRecord<LateText>& own = Impl::labels_in(impl_->image()).at(index);
  SharedRecord<LateText>& shown = Impl::labels_in(impl_->shown()).at(index);
  const auto current = own.load();
  if (current && std::memcmp(&*current, &bytes, sizeof bytes) == 0) return;
  // Empty the text first: a reader that sees a word cleared below, or a count of the new name, then finds
  // that the text it looked up has changed. Set the name last: a reader that looks up the new text sees the
  // zeros or newer values.
  own.store({});
  shown.store({});
  // Pairs with the acquire fence in LateTexts::forget_changed().
  std::atomic_thread_fence(std::memory_order_release);
  for (std::size_t shard = 0; shard < impl_->shards.size(); ++shard) {
    for (SharedWord* payload : {impl_->image(), impl_->shown()})
      clear_late_series(impl_->shard_in(payload, shard), impl_->specs, index);
  }
  own.store(bytes);
  shown.store(bytes);
}

struct MetricsReader::Impl : SegmentView<MetricsView> {
  using SegmentView::SegmentView;
};

MetricsReader::MetricsReader(const std::filesystem::path& directory)
    : impl_(std::make_unique<Impl>(directory)) {}
MetricsReader::~MetricsReader() = default;

bool MetricsReader::refresh() { return impl_->refresh(); }
bool MetricsReader::ready() const { return impl_->ready(); }
std::string MetricsReader::describe() const { return impl_->describe(); }
const SegmentReader& MetricsReader::segment() const { return impl_->segment(); }

void MetricsReader::read(std::vector<MetricSample>& samples) const {
  if (!ready()) return;
  const MetricsView& view = impl_->layout();
  const SharedWord* shards = view.words() + first_shard_word(view.specs.size());
  const std::size_t first = samples.size();
  read_metrics(view.specs, shards, view.shard_count, view.stride, samples, &view.late_labels());
  note_began(samples, first, view.began_unix_ns());
}

}  // namespace auralis
