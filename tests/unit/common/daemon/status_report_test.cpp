// SPDX-License-Identifier: MIT
#include "common/daemon/status_report.h"

#include "common/segments/control_segment.h"
#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <optional>

namespace auralis::status_report_test {
namespace {

constexpr std::int64_t kMinuteNs = 60 * kNsPerSecond;

class Metrics {
  MetricBinder& m_;

 public:
  explicit Metrics(MetricBinder& m) : m_(m) {}
  Gauge listeners = m_.gauge("websocket_active_connections", "Listeners");
  Counter underruns = m_.counter("ring_buffer_underruns_total", "Underruns", {{"station", "a"}});
  Counter others = m_.counter("ring_buffer_underruns_total", "Underruns", {{"station", "b"}});
  Counter skipped = m_.counter("auralis_chunks_skipped_total", "Skipped");
};

struct Fixture {
  test::TempDir dir;
  test::ManualClock clock;
  Config config = in(dir.path());
  MetricsWriter streamd{config.daemon_dir(Daemon::kStreamd), declared_metrics<Metrics>(), 1, clock.now};
  MetricsWriter synthd{config.daemon_dir(Daemon::kSynthd), declared_metrics<Metrics>(), 1, clock.now};
  Metrics of_streamd{streamd.shard(0)};
  Metrics of_synthd{synthd.shard(0)};
  std::optional<AudioWriter> audio;

  static Config in(const std::filesystem::path& path) {
    Config config;
    config.runtime.dir = path;
    return config;
  }

  // Stations whose rings end with the chunks 7 and 5 after now.
  void play() {
    audio.emplace(config.daemon_dir(Daemon::kSynthd), Timeline{clock.now, 44'100, 4'410, 2}, 20, 3);
    const std::vector<std::int16_t> samples(8'820);
    for (const std::size_t index : {0, 2}) {
      StationState state = named_state(index == 0 ? "day" : "night");
      state.history = begun_with(MusicParameters{});
      audio->open(index, state);
      for (std::int64_t chunk = 0; chunk < (index == 0 ? 8 : 6); ++chunk)
        audio->write_chunk(index, chunk, samples.data());
    }
    audio->publish(clock.now);
  }
};

TEST_CASE_FIXTURE(Fixture,
                  "streamd shows stations, listeners, the least depth, and the underruns of all stations") {
  StatusReport status(config, Daemon::kStreamd, clock);
  CHECK(status.text() == "waiting for synthd");
  play();
  of_streamd.listeners.set(341);
  CHECK(status.text() == "2 stations, 341 listeners, depth 600 ms, 0 underruns/h");
  of_streamd.listeners.set(1);
  of_streamd.underruns.add();
  clock.now += 1;
  CHECK(status.text() == "2 stations, 1 listener, depth 599 ms, 1 underrun/h");
  of_streamd.others.add(2);
  CHECK(status.text().find(", 3 underruns/h") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a synthd that has ended plays no stations") {
  StatusReport status(config, Daemon::kStreamd, clock);
  play();
  CHECK(status.text().find("2 stations") == 0);
  audio.reset();
  CHECK(status.text() == "waiting for synthd");
}

TEST_CASE_FIXTURE(Fixture, "counts that cannot be read are those of before, not 0") {
  of_streamd.underruns.add(1'000);
  play();
  StatusReport status(config, Daemon::kStreamd, clock);
  const std::string before = status.text();
  {
    const MetricsUpdate update(streamd.shard(0));
    CHECK(status.text() == before);
  }
  CHECK(status.text() == before);
}

TEST_CASE_FIXTURE(Fixture, "synthd shows stations, the least depth, and the chunks that it skipped") {
  StatusReport status(config, Daemon::kSynthd, clock);
  play();
  CHECK(status.text() == "2 stations, depth 600 ms, 0 chunks skipped/h");
  of_synthd.skipped.add(12);
  CHECK(status.text() == "2 stations, depth 600 ms, 12 chunks skipped/h");
}

TEST_CASE_FIXTURE(Fixture, "counts are of the last hour, and begin with the report") {
  of_streamd.underruns.add(1'000);
  play();
  StatusReport status(config, Daemon::kStreamd, clock);
  const auto shows = [&](const std::string& count) {
    return status.text().find(", " + count + " underruns/h") != std::string::npos;
  };
  CHECK(shows("0"));
  of_streamd.underruns.add(5);
  for (int minute = 0; minute < 60; ++minute) {
    clock.now += kMinuteNs;
    CHECK(shows("5"));
  }
  clock.now += kMinuteNs;
  CHECK(shows("0"));
}

TEST_CASE_FIXTURE(Fixture, "metricsd shows what is wrong with the others") {
  StatusReport status(config, Daemon::kMetricsd, clock);
  play();
  ControlWriter control(config.daemon_dir(Daemon::kStreamd), clock.now);
  CHECK(status.text() == "synthd healthy, streamd healthy");
  clock.now += SegmentReader::kHungAfterNs;
  streamd.beat(clock.now);
  control.beat(clock.now);
  CHECK(status.text() == "synthd hangs: its heartbeat has stopped, streamd healthy");
}

}  // namespace
}  // namespace auralis::status_report_test
