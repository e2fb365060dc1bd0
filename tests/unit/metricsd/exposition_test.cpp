// SPDX-License-Identifier: MIT
#include "tests/unit/metricsd/exposition.h"

#include <algorithm>

#include "metricsd/prometheus_exporter.h"
#include "metricsd/snapshot_json.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace auralis::exposition_test {
namespace {

using namespace test;

// All daemons at work, metrics of every type and text that needs care.
struct Bench : SnapshotFixture {
  FakeSynthd synthd{config, Daemon::kSynthd, clock};
  FakeStreamd streamd{config, Daemon::kStreamd, clock};

  Bench() {
    for (const double ms : {5.0, 10.0, 60.0, 70.0, 500.0}) synthd.metrics.synthesis_ms.observe(ms);
    synthd.metrics.memory_mb.set(123.25);
    streamd.metrics.depth_ms.set(-12.5);
    streamd.metrics.send(1e12 + 1);
    streamd.name(1, "c \"d\"\\e");
    streamd.metrics.chunks[1].add(7);
    source.sample();
  }
};

double number(const nlohmann::json& value) { return value.get<double>(); }

Exposition::Labels labels_of(const nlohmann::json& metric) {
  return metric.at("labels").get<Exposition::Labels>();
}

// The samples that a histogram of the JSON stands for are all in the text; returns how many they are.
std::size_t check_histogram(const Exposition& page, const nlohmann::json& metric) {
  const std::string name = metric.at("name");
  REQUIRE(page.find(name + "_count", labels_of(metric)));
  REQUIRE(page.find(name + "_sum", labels_of(metric)));
  CHECK(page.find(name + "_count", labels_of(metric))->value == number(metric.at("count")));
  CHECK(page.find(name + "_sum", labels_of(metric))->value == doctest::Approx(number(metric.at("sum"))));
  std::size_t found = 0;
  for (const auto& bucket : metric.at("buckets")) {
    for (const auto& sample : page.samples) {
      if (sample.name != name + "_bucket") continue;
      const std::string bound = sample.labels.at("le");
      const bool same = bucket[0].is_string() ? bound == bucket[0]
                                              : bound != "+Inf" && std::stod(bound) == number(bucket[0]);
      if (!same) continue;
      CHECK(sample.value == number(bucket[1]));
      ++found;
    }
  }
  CHECK(found == metric.at("buckets").size());
  return found + 2;
}

}  // namespace

TEST_CASE_FIXTURE(Bench, "exposition: every family has its HELP and TYPE, and the text keeps to the format") {
  const Exposition page = parse_exposition(exposition(source.take()));
  CHECK(page.type.size() == page.help.size());
  for (const auto& help : page.help) {
    CHECK_MESSAGE(!help.second.empty(), help.first);
    CHECK(page.type.count(help.first) == 1);
  }
  CHECK(page.type.at("audio_synthesis_latency_ms") == "histogram");
  CHECK(page.type.at("websocket_chunks_sent_total") == "counter");
  CHECK(page.type.at("auralis_up") == "gauge");
}

TEST_CASE_FIXTURE(Bench,
                  "exposition: buckets count what is not above their bound, and end with the count of all") {
  const Exposition page = parse_exposition(exposition(source.take()));
  const auto bucket = [&](const char* bound) {
    const auto* sample = page.find("audio_synthesis_latency_ms_bucket", {{"le", bound}});
    return sample == nullptr ? -1 : sample->value;
  };
  CHECK(bucket("10") == 2);
  CHECK(bucket("50") == 2);
  CHECK(bucket("100") == 4);
  CHECK(bucket("+Inf") == 5);
  CHECK(page.find("audio_synthesis_latency_ms_count")->value == 5);
  CHECK(page.find("audio_synthesis_latency_ms_sum")->value == doctest::Approx(645));
}

TEST_CASE_FIXTURE(Bench, "exposition: label values and help come out as they went in") {
  const Exposition page = parse_exposition(exposition(source.take()));
  const auto* depth = page.find("ring_buffer_depth_ms", {{"station", "a \"b\"\\c"}});
  REQUIRE(depth);
  CHECK(depth->value == -12.5);
  CHECK(page.help.at("ring_buffer_depth_ms") == "Audio ahead of now, in \"ms\"");
  CHECK(page.find("websocket_chunks_sent_total")->value == 1e12 + 1);
}

TEST_CASE_FIXTURE(Bench, "exposition: of late labels the series with a text are there, the others are not") {
  const Exposition page = parse_exposition(exposition(source.take()));
  const auto* chunks = page.find("chunks_total", {{"station", "c \"d\"\\e"}});
  REQUIRE(chunks);
  CHECK(chunks->value == 7);
  CHECK(std::count_if(page.samples.begin(), page.samples.end(),
                      [](const auto& sample) { return sample.name == "chunks_total"; }) == 1);
}

TEST_CASE("exposition: help of several lines stays one line") {
  MetricSample sample;
  sample.spec = {"name", "first\r\nname{} \\n 1", MetricType::kGauge, {}, {}};
  Snapshot snapshot;
  snapshot.families = families_of({sample});
  CHECK(parse_exposition(exposition(snapshot)).help.at("name") == "first  name{}  n 1");
}

TEST_CASE_FIXTURE(Bench, "snapshot_json: says what the exposition says, no more and no less") {
  const Snapshot snapshot = source.take();
  const Exposition page = parse_exposition(exposition(snapshot));
  const auto json = nlohmann::json::parse(snapshot_json(snapshot, {}, 42));
  CHECK(json.at("seq") == 42);
  CHECK(number(json.at("time")) == doctest::Approx(static_cast<double>(clock.unix_ns()) / 1e9));
  std::size_t samples = 0;
  for (const auto& metric : json.at("metrics")) {
    const std::string name = metric.at("name");
    CHECK(page.type.at(name) == metric.at("type"));
    CHECK(page.help.at(name) == metric.at("help"));
    if (metric.at("type") == "histogram") {
      samples += check_histogram(page, metric);
      continue;
    }
    const auto* sample = page.find(name, labels_of(metric));
    REQUIRE_MESSAGE(sample != nullptr, name);
    CHECK(sample->value == doctest::Approx(number(metric.at("value"))).epsilon(1e-12));
    ++samples;
  }
  CHECK(samples == page.samples.size());
}

}  // namespace auralis::exposition_test
