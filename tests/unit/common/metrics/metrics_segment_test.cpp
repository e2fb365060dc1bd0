// SPDX-License-Identifier: MIT
#include "common/metrics/metrics_segment.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

namespace auralis::metrics_segment_test {
namespace {

using test::TempDir;

class EchoMetrics {
  MetricBinder& m_;

 public:
  explicit EchoMetrics(MetricBinder& m) : m_(m) {}
  Counter calls = m_.counter("calls_total", "Calls", {{"kind", "echo"}});
  Gauge load = m_.gauge("load", "Load");
  Histogram call_ms = m_.histogram("call_ms", "Time", {1, 10, 100}, {{"a", "1"}, {"b", "2"}});
};

const std::vector<MetricSpec> specs = declared_metrics<EchoMetrics>();

std::vector<MetricSample> read(const MetricsReader& reader) {
  std::vector<MetricSample> samples;
  reader.read(samples);
  return samples;
}

// The sample of that name; null where it is absent.
const MetricSample* find(const std::vector<MetricSample>& samples, std::string_view name) {
  const auto found = std::find_if(samples.begin(), samples.end(),
                                  [&](const MetricSample& sample) { return sample.spec.name == name; });
  return found == samples.end() ? nullptr : &*found;
}

TEST_CASE("a reader needs to know nothing: names, help, labels and bounds stand in the segment") {
  const TempDir dir;
  MetricsWriter writer(dir.path(), specs, 2, 1);
  EchoMetrics first(writer.shard(0));
  EchoMetrics second(writer.shard(1));
  first.calls.add();
  second.calls.add(2);
  first.load.set(0.5);
  second.call_ms.observe(7);

  MetricsReader reader(dir.path());
  REQUIRE(reader.refresh());
  REQUIRE(reader.ready());
  const auto samples = read(reader);
  REQUIRE(samples.size() == 3);
  for (std::size_t metric = 0; metric < samples.size(); ++metric) {
    CHECK(samples[metric].spec.name == specs[metric].name);
    CHECK(samples[metric].spec.help == specs[metric].help);
    CHECK(samples[metric].spec.type == specs[metric].type);
    CHECK(samples[metric].spec.bounds == specs[metric].bounds);
    REQUIRE(samples[metric].spec.labels.size() == specs[metric].labels.size());
    for (std::size_t label = 0; label < specs[metric].labels.size(); ++label) {
      CHECK(samples[metric].spec.labels[label].name == specs[metric].labels[label].name);
      CHECK(samples[metric].spec.labels[label].value == specs[metric].labels[label].value);
    }
  }
  CHECK(samples[0].value == 3);
  CHECK(samples[1].value == 0.5);
  CHECK(samples[2].buckets == std::vector<double>{0, 1, 0, 0});
  CHECK(samples[2].sum == 7);
}

TEST_CASE("a reader learns from the segment which counters are absent at 0") {
  const TempDir dir;
  auto sparse = specs;
  sparse[0].sparse = true;
  MetricsWriter writer(dir.path(), sparse, 1, 1);
  EchoMetrics metrics(writer.shard(0));
  MetricsReader reader(dir.path());
  REQUIRE(reader.refresh());
  CHECK(find(read(reader), "calls_total") == nullptr);
  metrics.calls.add();
  const auto samples = read(reader);
  REQUIRE(find(samples, "calls_total") != nullptr);
  CHECK(find(samples, "calls_total")->spec.sparse);
}

TEST_CASE("before its writer has started there is nothing to read, and a sentence that says so") {
  const TempDir dir;
  MetricsReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.ready());
  CHECK(read(reader).empty());
  CHECK(reader.describe() ==
        "segment " + (dir.path() / "metrics").string() +
            " does not exist; its daemon has not been started in this runtime directory");
}

TEST_CASE("a restarted writer goes on counting, and its gauges are absent until they are measured again") {
  const TempDir dir;
  {
    MetricsWriter writer(dir.path(), specs, 2, 1);
    EchoMetrics metrics(writer.shard(1));
    metrics.calls.add(5);
    metrics.load.set(9);
    metrics.call_ms.observe(50);
  }
  MetricsReader reader(dir.path());
  reader.refresh();
  // The last words of a dead writer; who reads them asks whether it lives.
  CHECK(find(read(reader), "load") != nullptr);
  CHECK_FALSE(reader.segment().writer_alive());

  MetricsWriter next(dir.path(), specs, 2, 2);
  EchoMetrics metrics(next.shard(1));
  metrics.calls.add();
  CHECK(reader.refresh());
  CHECK(reader.segment().writer_alive());
  const auto samples = read(reader);
  CHECK(find(samples, "calls_total")->value == 6);
  CHECK(find(samples, "call_ms")->count() == 1);
  CHECK(find(samples, "load") == nullptr);
}

TEST_CASE(
    "a reader learns when the counts began, which a restart does not change, but a fresh segment does") {
  const TempDir dir;
  const auto began = [&](const std::vector<MetricSpec>& declared, std::int64_t unix_ns) {
    const MetricsWriter writer(dir.path(), declared, 1, 1, unix_ns);
    MetricsReader reader(dir.path());
    reader.refresh();
    const auto samples = read(reader);
    REQUIRE(find(samples, "call_ms") != nullptr);
    CHECK(find(samples, "calls_total")->began_unix_ns == find(samples, "call_ms")->began_unix_ns);
    return find(samples, "call_ms")->began_unix_ns;
  };
  CHECK(began(specs, 1'700'000'000'000'000'001) == 1'700'000'000'000'000'001);
  CHECK(began(specs, 1'800'000'000'000'000'000) == 1'700'000'000'000'000'001);
  auto changed = specs;
  changed[0].help = "Other";
  CHECK(began(changed, 1'900'000'000'000'000'000) == 1'900'000'000'000'000'000);
  INFO("unknown, or bytes that are no time");
  CHECK(began(specs, 0) == 0);
  CHECK(began(changed, -1) == 0);
}

TEST_CASE("other declarations start fresh, and an attached reader follows") {
  const TempDir dir;
  {
    MetricsWriter writer(dir.path(), specs, 2, 1);
    EchoMetrics(writer.shard(0)).calls.add(5);
  }
  MetricsReader reader(dir.path());
  reader.refresh();
  auto changed = specs;
  std::size_t shards = 2;
  SUBCASE("name") { changed[0].name = "renamed_total"; }
  SUBCASE("help") { changed[0].help = "Other"; }
  SUBCASE("label") { changed[0].labels[0].value = "other"; }
  SUBCASE("bounds") { changed[2].bounds[0] = 2; }
  SUBCASE("a metric less") { changed.pop_back(); }
  SUBCASE("shards") { shards = 3; }
  const MetricsWriter next(dir.path(), changed, shards, 2);
  CHECK(reader.refresh());
  REQUIRE(reader.ready());
  const auto samples = read(reader);
  REQUIRE(find(samples, changed[0].name) != nullptr);
  CHECK(find(samples, changed[0].name)->value == 0);
  CHECK(find(samples, changed[0].name)->spec.help == changed[0].help);
}

TEST_CASE("each shard lies on cache lines of its own") {
  const TempDir dir;
  MetricsWriter writer(dir.path(), specs, 2, 1);
  EchoMetrics(writer.shard(0)).calls.add(1.0);
  EchoMetrics(writer.shard(1)).calls.add(2.0);
  // The only words that are these numbers.
  const std::string bytes = test::read_file(dir.path() / "metrics");
  const auto offset_of = [&](double value) {
    return bytes.rfind(std::string(reinterpret_cast<const char*>(&value), sizeof value));
  };
  REQUIRE(offset_of(1.0) != std::string::npos);
  REQUIRE(offset_of(2.0) != std::string::npos);
  CHECK(offset_of(1.0) / 64 != offset_of(2.0) / 64);
  CHECK(offset_of(1.0) % 64 == 8);  // after the shard's version
  CHECK(offset_of(2.0) % 64 == 8);
}

TEST_CASE("a beat keeps the writer healthy") {
  const TempDir dir;
  MetricsWriter writer(dir.path(), specs, 1, 1);
  MetricsReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.segment().writer_healthy(SegmentReader::kHungAfterNs + 1));
  writer.beat(2);
  CHECK(reader.segment().writer_healthy(SegmentReader::kHungAfterNs + 1));
}

TEST_CASE("text that does not fit an entry is a mistake of the declaration, told at start") {
  const TempDir dir;
  auto wrong = specs;
  SUBCASE("name") { wrong[0].name.assign(96, 'x'); }
  SUBCASE("help") { wrong[0].help.assign(256, 'x'); }
  SUBCASE("label name") { wrong[0].labels[0].name.assign(32, 'x'); }
  SUBCASE("label value") { wrong[0].labels[0].value.assign(64, 'x'); }
  CHECK_THROWS_AS(MetricsWriter(dir.path(), wrong, 1, 1), std::logic_error);
}

// Overwrites word `index` of the payload. Words 0 to 2: metrics, shards, words a shard; word 8: the late
// labels; then the entries.
void poke_payload(const TempDir& dir, std::size_t index, std::uint64_t word) {
  test::poke(dir.path() / "metrics", sizeof(SegmentHeader) + 8 * index, word);
}

TEST_CASE("declarations that make no sense are refused, with a sentence") {
  const TempDir dir;
  std::optional<MetricsWriter> writer(std::in_place, dir.path(), specs, 2, 1);
  constexpr std::size_t kFirstEntry = 8 + sizeof(LateLabels) / 8;
  constexpr std::size_t kTypeWord = kFirstEntry + (96 + 256) / 8;
  constexpr std::uint64_t kManyLabels = std::uint64_t{kMaxMetricLabels + 1} << 32U;
  constexpr std::uint64_t kNoLateLabel = std::uint64_t{1 + kLateLabels} << 32U;
  SUBCASE("metrics beyond the segment") { poke_payload(dir, 0, 9'999); }
  SUBCASE("metrics beyond counting") { poke_payload(dir, 0, ~std::uint64_t{0}); }
  SUBCASE("metrics whose bytes come to nothing in 64 bits") { poke_payload(dir, 0, std::uint64_t{1} << 63U); }
  SUBCASE("shards beyond the segment") { poke_payload(dir, 1, 999); }
  SUBCASE("shards beyond counting") { poke_payload(dir, 1, ~std::uint64_t{0}); }
  SUBCASE("shards whose bytes come to nothing in 64 bits") { poke_payload(dir, 1, std::uint64_t{1} << 63U); }
  SUBCASE("shards too long for the segment") { poke_payload(dir, 2, 16); }
  SUBCASE("shards too short for the metrics") { poke_payload(dir, 2, 0); }
  SUBCASE("a shard beyond counting") { poke_payload(dir, 2, ~std::uint64_t{0}); }
  SUBCASE("no name") { poke_payload(dir, kFirstEntry, 0); }
  SUBCASE("no type") { poke_payload(dir, kTypeWord, 0); }
  SUBCASE("labels beyond the entry") { poke_payload(dir, kTypeWord, kManyLabels | 1U); }
  SUBCASE("bounds beyond the entry") { poke_payload(dir, kTypeWord + 1, 25); }
  SUBCASE("a late label beyond the last") { poke_payload(dir, kTypeWord + 1, kNoLateLabel); }
  MetricsReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.ready());
  CHECK(read(reader).empty());
  CHECK(reader.describe().find("segment " + (dir.path() / "metrics").string() + " ") == 0);
  CHECK(reader.describe().find("are invalid") != std::string::npos);
}

TEST_CASE("a bound that is no number, or out of order, is refused") {
  const TempDir dir;
  std::vector<MetricSpec> wrong{specs[2]};
  SUBCASE("not rising") { wrong[0].bounds = {1, 1}; }
  SUBCASE("not a number") { wrong[0].bounds = {std::nan("")}; }
  SUBCASE("infinity, which is implied") { wrong[0].bounds = {1, HUGE_VAL}; }
  const MetricsWriter writer(dir.path(), wrong, 1, 1);
  MetricsReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.ready());
}

TEST_CASE("random bytes in a segment never crash a reader, nor come out as anything but numbers") {
  const TempDir dir;
  auto with_late = specs;
  with_late[0].labels.push_back(late_label("station", kLateLabels - 1));
  std::optional<MetricsWriter> writer(std::in_place, dir.path(), with_late, 2, 1);
  writer->set_late_label(kLateLabels - 1, "forest");
  writer.reset();
  const std::string good = test::read_file(dir.path() / "metrics");
  std::mt19937_64 random(3);
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes = good;
    // The segment's own header stays, or little else would be reached.
    for (std::uint64_t hits = random() % 32; hits > 0; --hits) {
      bytes[sizeof(SegmentHeader) + random() % (bytes.size() - sizeof(SegmentHeader))] =
          static_cast<char>(random());
    }
    test::write_file(dir.path() / "metrics", bytes);
    MetricsReader reader(dir.path());
    reader.refresh();
    for (const auto& sample : read(reader)) {
      CHECK(std::isfinite(sample.value));
      CHECK(std::isfinite(sample.sum));
      CHECK(std::isfinite(sample.count()));
    }
  }
}

// Noise over the whole payload, as another process with a bug writes it.
void write_noise(const std::filesystem::path& path, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::uint64_t size = std::filesystem::file_size(path);
  for (std::uint64_t offset = sizeof(SegmentHeader); offset + 8 <= size; offset += 8)
    test::poke(path, offset, random());
}

TEST_CASE("a writer keeps its metrics, whatever another process does to the file") {
  struct Harm {
    const char* what;
    std::function<void(const std::filesystem::path&)> inflict;
  };
  const std::vector<Harm> harms{
      {"noise", [](const auto& path) { write_noise(path, 1); }},
      {"cut short", [](const auto& path) { std::filesystem::resize_file(path, 0); }},
      {"removed", [](const auto& path) { std::filesystem::remove(path); }}};
  for (const Harm& harm : harms) {
    CAPTURE(harm.what);
    const TempDir dir;
    MetricsWriter writer(dir.path(), specs, 2, 1);
    EchoMetrics first(writer.shard(0));
    EchoMetrics second(writer.shard(1));
    first.calls.add(3);
    second.call_ms.observe(7);
    MetricsReader reader(dir.path());
    REQUIRE(reader.refresh());

    harm.inflict(dir.path() / "metrics");
    second.calls.add(2);  // into what was harmed
    writer.run_housekeeping(2);
    writer.beat(2);
    first.load.set(0.5);
    MetricsReader fresh(dir.path());
    for (MetricsReader* one : {&reader, &fresh}) {
      one->refresh();
      REQUIRE(one->ready());
      const auto samples = read(*one);
      REQUIRE(find(samples, "calls_total") != nullptr);
      CHECK(find(samples, "calls_total")->value == 5);
      CHECK(find(samples, "call_ms")->buckets == std::vector<double>{0, 1, 0, 0});
      CHECK(find(samples, "load")->value == 0.5);
    }
    writer.run_housekeeping(3);
    CHECK_FALSE(reader.refresh());
  }
}

TEST_CASE("a late label that another process wrote over is put right") {
  class LateMetrics {
    MetricBinder& m_;

   public:
    explicit LateMetrics(MetricBinder& m) : m_(m) {}
    Counter calls = m_.counter("calls_total", "Calls", {late_label("station", 0)});
  };
  const TempDir dir;
  MetricsWriter writer(dir.path(), declared_metrics<LateMetrics>(), 1, 1);
  LateMetrics metrics(writer.shard(0));
  writer.set_late_label(0, "night");
  metrics.calls.add();
  MetricsReader reader(dir.path());
  REQUIRE(reader.refresh());
  for (std::uint64_t offset = 128; offset < 128 + 192; offset += 8)
    test::poke(dir.path() / "metrics", offset, 0xFFFFFFFFFFFFFFFF);
  writer.beat(2);
  const auto samples = read(reader);
  REQUIRE(find(samples, "calls_total") != nullptr);
  CHECK(find(samples, "calls_total")->spec.labels[0].value == "night");
  CHECK(writer.late_label(0) == "night");
}

TEST_CASE("a writer does not continue counts that no writer can have reached") {
  const TempDir dir;
  {
    MetricsWriter writer(dir.path(), specs, 1, 1);
    EchoMetrics(writer.shard(0)).calls.add(3);
  }
  write_noise(dir.path() / "metrics", 2);
  MetricsWriter writer(dir.path(), specs, 1, 2);
  EchoMetrics metrics(writer.shard(0));
  CHECK(metrics.calls.value() >= 0);
  CHECK(metrics.calls.value() <= 9'007'199'254'740'992.0);
}

}  // namespace
}  // namespace auralis::metrics_segment_test
