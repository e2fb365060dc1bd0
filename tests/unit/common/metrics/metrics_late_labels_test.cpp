// SPDX-License-Identifier: MIT
// Late labels through a metrics segment, as its writer sets them and a reader finds them.
#include "common/metrics/metrics_segment.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

namespace auralis::metrics_late_labels_test {
namespace {

using test::TempDir;

constexpr std::size_t kLast = kLateLabels - 1;

// Metrics of two stations, one between both, and one of no station.
class StationsMetrics {
  MetricBinder& m_;

 public:
  struct Station {
    Counter chunks;
    Gauge depth;
    Histogram ms;
  };

  explicit StationsMetrics(MetricBinder& m) : m_(m) {}
  Counter calls = m_.counter("calls_total", "Calls", {{"kind", "echo"}});
  Station first = station(0);
  Station last = station(kLast);
  Counter moves =
      m_.counter("moves_total", "From one to the other", {late_label("from", 0), late_label("to", kLast)});
  Histogram call_ms = m_.histogram("call_ms", "Time", {1, 10});

 private:
  Station station(std::size_t index) {
    const std::vector<MetricLabel> labels{{"kind", "music"}, late_label("station", index)};
    return {m_.counter("chunks_total", "Chunks", labels), m_.gauge("depth", "Depth", labels),
            m_.histogram("ms", "Time", {1, 10}, labels)};
  }
};

const std::vector<MetricSpec> specs = declared_metrics<StationsMetrics>();

struct Bench {
  TempDir dir;
  std::optional<MetricsWriter> writer;
  std::vector<StationsMetrics> shards;

  Bench() { start(specs); }

  // A writer in place of the one there is.
  void start(const std::vector<MetricSpec>& declared) {
    shards.clear();
    writer.reset();
    writer.emplace(dir.path(), declared, 2, 1);
    for (const std::size_t shard : {0U, 1U}) shards.emplace_back(writer->shard(shard));
  }

  void count_everything() {
    for (auto& shard : shards) {
      for (auto* station : {&shard.first, &shard.last}) {
        station->chunks.add(3);
        station->depth.set(4);
        station->ms.observe(5);
      }
      shard.calls.add();
      shard.moves.add();
      shard.call_ms.observe(20);
    }
  }

  std::vector<MetricSample> read() const {
    MetricsReader reader(dir.path());
    reader.refresh();
    REQUIRE(reader.ready());
    std::vector<MetricSample> samples;
    reader.read(samples);
    return samples;
  }

  // The series of that name whose last label has that value; nothing where it is absent.
  std::optional<MetricSample> find(std::string_view name, std::string_view value) const {
    for (auto& sample : read()) {
      const auto& labels = sample.spec.labels;
      if (sample.spec.name == name && !labels.empty() && labels.back().value == value) return sample;
    }
    return std::nullopt;
  }

  std::optional<double> value(std::string_view name, std::string_view label) const {
    const auto sample = find(name, label);
    return sample ? std::optional(sample->value) : std::nullopt;
  }
  std::optional<std::vector<double>> buckets(std::string_view name, std::string_view label) const {
    const auto sample = find(name, label);
    return sample ? std::optional(sample->buckets) : std::nullopt;
  }

  std::size_t series(std::string_view name) const {
    const auto samples = read();
    return static_cast<std::size_t>(
        std::count_if(samples.begin(), samples.end(),
                      [&](const MetricSample& sample) { return sample.spec.name == name; }));
  }

  // Overwrites word `word` of the newest text of a label, which is 2 records of 8 words behind its version.
  void poke_text(std::size_t index, std::size_t word, std::uint64_t value) const {
    const std::uint64_t record = sizeof(SegmentHeader) + 64 + index * sizeof(LateLabels::value_type);
    const std::uint64_t newest = test::peek(dir.path() / "metrics", record) & 1U;
    test::poke(dir.path() / "metrics", record + 8 * (1 + 8 * newest + word), value);
  }
};

TEST_CASE_FIXTURE(Bench, "a series is absent until its late label has a text, and then has it as value") {
  count_everything();
  CHECK(read().size() == 2);  // those of no station
  CHECK(writer->late_label(0).empty());

  writer->set_late_label(0, "forest");
  CHECK(writer->late_label(0) == "forest");
  count_everything();
  for (const char* name : {"chunks_total", "depth", "ms"}) {
    CHECK(series(name) == 1);
    const auto found = find(name, "forest");
    REQUIRE(found);
    const auto& labels = found->spec.labels;
    REQUIRE(labels.size() == 2);
    CHECK(labels[0].name == "kind");
    CHECK(labels[0].value == "music");
    CHECK(labels[1].name == "station");
  }
  CHECK(value("chunks_total", "forest") == 6);

  const std::string longest(63, 'x');
  writer->set_late_label(kLast, longest);
  CHECK(writer->late_label(kLast) == longest);
  CHECK(find("chunks_total", longest));
  CHECK(value("chunks_total", "forest") == 6);
}

TEST_CASE_FIXTURE(Bench, "with another name its series restart in all shards, and no others") {
  writer->set_late_label(0, "forest");
  writer->set_late_label(kLast, "sea");
  count_everything();
  writer->set_late_label(0, "meadow");
  CHECK_FALSE(find("chunks_total", "forest"));
  CHECK(value("chunks_total", "meadow") == 0);
  CHECK(buckets("ms", "meadow") == std::vector<double>{0, 0, 0});
  REQUIRE(find("ms", "meadow"));
  CHECK(find("ms", "meadow")->sum == 0);
  CHECK_FALSE(find("depth", "meadow"));
  CHECK(shards[0].first.chunks.value() == 0);

  CHECK(value("chunks_total", "sea") == 6);
  CHECK(buckets("ms", "sea") == std::vector<double>{0, 2, 0});
  CHECK(value("depth", "sea") == 8);
  CHECK(value("calls_total", "echo") == 2);
  CHECK(series("call_ms") == 1);

  count_everything();
  CHECK(value("chunks_total", "meadow") == 6);
  CHECK(value("depth", "meadow") == 8);
  CHECK(value("chunks_total", "sea") == 12);
}

TEST_CASE_FIXTURE(Bench, "with the name that it has already, it goes on") {
  writer->set_late_label(0, "forest");
  count_everything();
  writer->set_late_label(0, "forest");
  CHECK(value("chunks_total", "forest") == 6);
  CHECK(value("depth", "forest") == 8);
}

TEST_CASE_FIXTURE(Bench, "without its name it is gone, and what is counted meanwhile belongs to no station") {
  writer->set_late_label(0, "forest");
  count_everything();
  writer->set_late_label(0, "");
  CHECK(writer->late_label(0).empty());
  CHECK(read().size() == 2);
  count_everything();
  CHECK(read().size() == 2);
  writer->set_late_label(0, "forest");
  CHECK(value("chunks_total", "forest") == 0);
  CHECK_FALSE(find("depth", "forest"));
}

TEST_CASE_FIXTURE(Bench,
                  "a series of two late labels is there while both have a text, and restarts with either") {
  writer->set_late_label(0, "forest");
  CHECK(series("moves_total") == 0);
  writer->set_late_label(kLast, "sea");
  count_everything();
  REQUIRE(find("moves_total", "sea"));
  CHECK(find("moves_total", "sea")->spec.labels.front().value == "forest");
  CHECK(value("moves_total", "sea") == 2);
  SUBCASE("the one") {
    writer->set_late_label(0, "meadow");
    CHECK(value("moves_total", "sea") == 0);
  }
  SUBCASE("the other") {
    writer->set_late_label(kLast, "meadow");
    CHECK(value("moves_total", "meadow") == 0);
  }
  SUBCASE("neither") {
    writer->set_late_label(0, "");
    CHECK(series("moves_total") == 0);
  }
}

TEST_CASE_FIXTURE(Bench, "the next writer goes on with the names and their counts") {
  writer->set_late_label(0, "forest");
  writer->set_late_label(kLast, "sea");
  count_everything();
  start(specs);
  CHECK(writer->late_label(0) == "forest");
  CHECK(writer->late_label(1).empty());
  CHECK(writer->late_label(kLast) == "sea");
  CHECK(value("chunks_total", "forest") == 6);
  CHECK(buckets("ms", "sea") == std::vector<double>{0, 2, 0});
  CHECK_FALSE(find("depth", "forest"));
  writer->set_late_label(0, "forest");
  shards[0].first.chunks.add();
  CHECK(value("chunks_total", "forest") == 7);
  writer->set_late_label(kLast, "forest");
  CHECK(buckets("ms", "forest") == std::vector<double>{0, 2, 0});
}

TEST_CASE_FIXTURE(Bench, "a writer with other late labels in its declarations begins with none") {
  writer->set_late_label(0, "forest");
  auto changed = specs;
  for (auto& spec : changed) {
    for (auto& label : spec.labels) {
      if (label.late_index == std::size_t{0}) label.late_index = 1;
    }
  }
  start(changed);
  CHECK(writer->late_label(0).empty());
  CHECK(read().size() == 2);
}

TEST_CASE_FIXTURE(Bench, "what a writer left that was killed before it had named belongs to no station") {
  writer->set_late_label(0, "forest");
  count_everything();
  poke_text(0, 0, 0);
  start(specs);
  CHECK(writer->late_label(0).empty());
  CHECK(read().size() == 2);
  writer->set_late_label(0, "meadow");
  CHECK(value("chunks_total", "meadow") == 0);
}

TEST_CASE_FIXTURE(Bench, "a damaged text is none, and the next name mends it") {
  constexpr std::uint64_t kNotText = ~std::uint64_t{0};
  writer->set_late_label(0, "forest");
  writer->set_late_label(kLast, "sea");
  count_everything();
  SUBCASE("no text") { poke_text(0, 0, kNotText); }
  SUBCASE("something behind its end") { poke_text(0, 7, 1); }
  CHECK(series("chunks_total") == 1);
  CHECK(value("chunks_total", "sea") == 6);
  start(specs);
  CHECK(writer->late_label(0).empty());
  writer->set_late_label(0, "forest");
  CHECK(value("chunks_total", "forest") == 0);
  CHECK(value("chunks_total", "sea") == 6);
}

TEST_CASE_FIXTURE(Bench,
                  "what cannot be a text or a late label is refused, and leaves the metrics as they are") {
  writer->set_late_label(0, "forest");
  count_everything();
  CHECK_THROWS_AS(writer->set_late_label(0, std::string(64, 'x')), std::invalid_argument);
  CHECK_THROWS_AS(writer->set_late_label(0, "a\nb"), std::invalid_argument);
  CHECK_THROWS_AS(writer->set_late_label(kLateLabels, "sea"), std::out_of_range);
  CHECK_THROWS_AS(writer->late_label(kLateLabels), std::out_of_range);
  CHECK(value("chunks_total", "forest") == 6);

  MetricBinder collector;
  CHECK_NOTHROW(collector.counter("c", "", {late_label("station", kLast)}));
  CHECK_THROWS_AS(collector.counter("c", "", {late_label("station", kLateLabels)}), std::logic_error);
}

}  // namespace
}  // namespace auralis::metrics_late_labels_test
