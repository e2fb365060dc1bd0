// SPDX-License-Identifier: MIT
#include "metricsd/ring_depths.h"

#include <optional>
#include <string>
#include <vector>

#include "tests/unit/support.h"

#include <doctest/doctest.h>

namespace auralis::ring_depths_test {
namespace {

constexpr Timeline kTimeline{1'000, 44'100, 4'410, 2};
constexpr std::uint32_t kSlots = 20;  // two seconds

struct Fixture {
  test::TempDir dir;
  OwnMetricsMemory own;
  StationRings rings{dir.path(), own};
  RingDepths depths{rings, own};
  std::optional<AudioWriter> synthd;

  void start_synthd() {
    synthd.emplace(dir.path(), kTimeline, kSlots, 4);
    synthd->publish(1);
  }
  void open(std::size_t row, const std::string& name, std::int64_t newest, bool personal = false) {
    StationState state = named_state(name);
    state.personal = personal ? 1 : 0;
    state.history = begun_with(kPresets[0].parameters);
    synthd->open(row, state);
    write(row, newest);
  }
  void write(std::size_t row, std::int64_t chunk) {
    const std::vector<std::int16_t> samples(kTimeline.chunk_samples());
    synthd->write_chunk(row, chunk, samples.data());
  }
  std::optional<double> value(const std::string& name, const std::string& station) const {
    std::vector<MetricSample> samples;
    own.read(samples);
    for (const auto& sample : samples) {
      const auto& labels = sample.spec.labels;
      if (sample.spec.name == name && !labels.empty() && labels[0].value == station) return sample.value;
    }
    return std::nullopt;
  }
  std::optional<double> depth(const std::string& station) const {
    return value("ring_buffer_depth_ms", station);
  }
};

TEST_CASE_FIXTURE(Fixture, "without a segment there are no depths") {
  depths.update(1);
  CHECK_FALSE(depth("default"));
  CHECK_FALSE(depth("personal"));
}

TEST_CASE_FIXTURE(Fixture, "the depth is the newest chunk's end less now, whether or not it is read") {
  start_synthd();
  open(0, "day", 17);
  open(1, "night", 7);
  depths.update(kTimeline.due_ns(10));
  CHECK(*depth("day") == doctest::Approx(800));
  CHECK(*value("ring_buffer_utilization_percent", "day") == doctest::Approx(40));
  CHECK(*depth("night") == doctest::Approx(-200));
  CHECK(*value("ring_buffer_utilization_percent", "night") == 0);
  INFO("time goes on while nothing is written");
  depths.update(kTimeline.due_ns(15));
  CHECK(*depth("day") == doctest::Approx(300));
  write(0, 22);
  depths.update(kTimeline.due_ns(15));
  CHECK(*depth("day") == doctest::Approx(800));
}

TEST_CASE_FIXTURE(Fixture, "of personal stations the least depth is shown, without their names") {
  start_synthd();
  open(0, "day", 17);
  open(1, "p0123456789abcdef", 16, true);
  open(2, "pfedcba9876543210", 12, true);
  depths.update(kTimeline.due_ns(10));
  CHECK(*depth("personal") == doctest::Approx(300));
  CHECK_FALSE(depth("p0123456789abcdef"));
  synthd->close(2);
  depths.update(kTimeline.due_ns(10));
  CHECK(*depth("personal") == doctest::Approx(700));
  synthd->close(1);
  depths.update(kTimeline.due_ns(10));
  CHECK_FALSE(depth("personal"));
}

TEST_CASE_FIXTURE(Fixture, "a station that was closed has no depth, and the others keep their names") {
  start_synthd();
  open(0, "day", 17);
  open(1, "night", 16);
  depths.update(kTimeline.due_ns(10));
  synthd->close(0);
  depths.update(kTimeline.due_ns(10));
  CHECK_FALSE(depth("day"));
  CHECK(*depth("night") == doctest::Approx(700));
}

TEST_CASE_FIXTURE(Fixture, "a station without a chunk has no depth yet") {
  start_synthd();
  StationState state = named_state("day");
  state.history = begun_with(kPresets[0].parameters);
  synthd->open(0, state);
  depths.update(kTimeline.due_ns(10));
  CHECK_FALSE(depth("day"));
}

TEST_CASE_FIXTURE(Fixture, "a synthd that ended leaves a ring that runs dry") {
  start_synthd();
  open(0, "day", 17);
  synthd.reset();
  depths.update(kTimeline.due_ns(28));
  CHECK(*depth("day") == doctest::Approx(-1'000));
}

}  // namespace
}  // namespace auralis::ring_depths_test
