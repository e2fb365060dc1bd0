// SPDX-License-Identifier: MIT
#include "metricsd/exemplars.h"

#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>

namespace auralis::exemplars_test {

using namespace test;

namespace {

struct ExemplarsFixture : HistoryFixture {
  ExemplarsFixture() {
    StationState day = named_state("day");
    day.seed = 11;
    day.history = begun_with(kPresets[0].parameters);
    audio.open(0, day);
    audio.publish(clock.now);
  }

  void step(std::vector<MetricSample> samples) {
    const auto families = families_of(samples);
    add(std::move(samples));
    exemplars.note(history, families);
  }
  // A second that ends with these totals of a station's counter.
  void miss(double chunks, const std::string& station = "day") {
    step({counter_of("ring_buffer_underruns_total", chunks, {{"station", station}})});
  }
  // Likewise of the delivery latency.
  void deliver(std::vector<double> counts, double sum) {
    MetricSample sample = histogram_of("audio_chunk_delivery_latency_ms", {10, 100, 500}, std::move(counts));
    sample.sum = sum;
    step({sample});
  }
  std::string label(std::size_t index, std::size_t exemplar = 0) const {
    return exemplars.all().at(exemplar).labels.at(index).value;
  }

  TempDir folder;
  Timeline timeline{clock.now, 44'100, 4'410, 2};
  AudioWriter audio{folder.path(), timeline, 20, 4};
  StationLinks links{folder.path()};
  Exemplars exemplars{links};
};

}  // namespace

TEST_CASE_FIXTURE(ExemplarsFixture, "Exemplars: missing chunks, with their chunk, link and number") {
  miss(5);
  CHECK(exemplars.all().empty());
  clock.now += 60 * kNsPerSecond;
  miss(8);
  REQUIRE(exemplars.all().size() == 1);
  const Exemplar& missed = exemplars.all()[0];
  CHECK(missed.metric == "ring_buffer_underruns_total");
  CHECK(same_labels(missed.series, {{"station", "day"}}));
  CHECK(same_labels(missed.labels, {{"chunk", "620"},
                                    {"link", "station=new&seed=11&rate=44100&chunk=100&at=600&changes=0"}}));
  CHECK(missed.value == 3);
  CHECK(missed.unix_ns == clock.unix_ns());

  INFO("it stays until there is a newer one, of each station its own");
  miss(8);
  CHECK(label(0) == "620");
  miss(9);
  CHECK(exemplars.all().size() == 1);
  CHECK(label(0) == "640");
  miss(0, "personal");
  miss(1, "personal");
  REQUIRE(exemplars.all().size() == 2);
  CHECK(same_labels(exemplars.all()[1].labels, {{"chunk", "660"}}));
}

TEST_CASE_FIXTURE(ExemplarsFixture, "Exemplars: the latest delivery of a second, with the chunk due then") {
  deliver({1000, 10, 0, 0}, 5'000);
  clock.now += 60 * kNsPerSecond;
  INFO("punctual ones have none");
  deliver({2000, 20, 0, 0}, 10'000);
  CHECK(exemplars.all().empty());
  INFO("the estimated mean of the late ones, when the others are subtracted");
  deliver({2010, 20, 2, 0}, 10'000 + 10 * 5 + 2 * 300);
  REQUIRE(exemplars.all().size() == 1);
  CHECK(exemplars.all()[0].bucket == 2);
  CHECK(exemplars.all()[0].value == 300);
  CHECK(label(0) == "627");  // of 630, which is due now
  INFO("only of the highest bucket, and without an upper limit");
  deliver({2010, 20, 3, 1}, 10'650 + 300 + 2'000);
  REQUIRE(exemplars.all().size() == 2);
  CHECK(exemplars.all()[1].bucket == 3);
  CHECK(exemplars.all()[1].value == 2'000);
  CHECK(label(0, 1) == "620");
}

TEST_CASE_FIXTURE(ExemplarsFixture, "Exemplars: a bucket's value lies in the bucket, whatever the sum says") {
  deliver({0, 0, 0, 0}, 0);
  deliver({0, 0, 1, 0}, 9'000);
  CHECK(exemplars.all().at(0).value == 500);
  deliver({0, 0, 2, 0}, 9'000);
  CHECK(exemplars.all().at(0).value > 100);
  CHECK(exemplars.all().at(0).value < 101);
  INFO("a histogram that began again");
  deliver({0, 0, 1, 0}, 200);
  CHECK(exemplars.all().at(0).value == 200);
  deliver({0, 0, 1, 1}, 200);
  CHECK(exemplars.all().at(1).value > 500);
  INFO("a sum that no delivery can have reached");
  deliver({0, 0, 1, 2}, 1e308);
  CHECK(exemplars.all().at(1).value == 900'000);
}

TEST_CASE_FIXTURE(ExemplarsFixture, "Exemplars: the labels keep to OpenMetrics' limit") {
  StationState night = named_state("night");
  night.seed = 12'345'678'901'234'567'890U;
  night.history = begun_with(kPresets[1].parameters);
  audio.open(1, night);
  miss(0, "night");
  miss(1, "night");
  // Whether the link fits depends on the music: let it grow until it does not.
  CHECK(exemplars.all().at(0).labels.size() == 2);
  for (std::int64_t chunk = 1; chunk < 9; ++chunk) {
    MusicParameters parameters = kPresets[1].parameters;
    parameters.intensity = static_cast<float>(chunk) / 7;
    add_change(night.history, timeline, {3 * chunk, parameters});
  }
  audio.store_state(1, night);
  miss(2, "night");
  REQUIRE(exemplars.all().size() == 1);
  CHECK(exemplars.all()[0].labels.size() == 1);
  CHECK(exemplars.all()[0].labels[0].name == "chunk");
}

TEST_CASE_FIXTURE(ExemplarsFixture, "Exemplars: none without a segment, and none older than the history") {
  miss(0);
  miss(1);
  clock.now += History::kSpanNs - kNsPerSecond;
  miss(1);
  CHECK(exemplars.all().size() == 1);
  miss(1);
  CHECK(exemplars.all().empty());

  const TempDir empty;
  StationLinks no_links(empty.path());
  Exemplars without(no_links);
  miss(2);
  without.note(history, {});
  CHECK(without.all().empty());
}

}  // namespace auralis::exemplars_test
