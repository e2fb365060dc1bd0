// SPDX-License-Identifier: MIT
#include "metricsd/alert_measures.h"

#include <map>
#include <optional>

#include "metricsd/alert_rules.h"
#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>

namespace auralis::alert_measures_test {

using namespace test;

namespace {

constexpr const char* kDelivery = "audio_chunk_delivery_latency_ms";
constexpr const char* kHandover = "auralis_chunk_handover_latency_ms";

struct MeasuresFixture : HistoryFixture {
  MemoryHour memory;
  std::map<std::string, double> totals;

  // A counter after it rose by `more`.
  MetricSample rise(const std::string& name, double more, std::vector<MetricLabel> labels = {}) {
    std::string key = name;
    for (const auto& label : labels) key += "," + label.name + "=" + label.value;
    return counter_of(name, totals[key] += more, std::move(labels));
  }
  // A histogram with the bounds 100 and 1000 ms after it counted as many more in each bucket.
  MetricSample counted(const std::string& name, double fast, double slow, double slowest) {
    return histogram_of(
        name, {50, 100, 1'000},
        {totals[name + "0"] += fast, 0, totals[name + "1"] += slow, totals[name + "2"] += slowest});
  }

  AlertReadings readings(std::string_view name) const {
    const AlertRule& rule = kAlertRules.at(alert_index(name));
    return rule.measure({history, memory, rule.threshold});
  }
  // What is measured of that subject, if it counts.
  std::optional<double> measured(std::string_view rule, std::string_view subject = "") const {
    for (const auto& reading : readings(rule)) {
      if (reading.subject == subject && reading.counts) return reading.measured;
    }
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE_FIXTURE(MeasuresFixture,
                  "DeadAir: silence that is sent in place of a station's music, in a minute") {
  const auto sent = [&](double underrun, double muted, double personal) {
    const auto silence = [&](double more, const char* station, const char* cause) {
      return rise("auralis_audio_silence_seconds_total", more,
                  {{"station", station}, {"at", "sent"}, {"cause", cause}});
    };
    add({silence(underrun, "day", "underrun"), silence(muted, "day", "muted"),
         silence(personal, "personal", "underrun"),
         rise("auralis_audio_silence_seconds_total", 1,
              {{"station", "day"}, {"at", "published"}, {"cause", "zero"}})});
  };
  sent(0, 0, 0);
  sent(1, 1, 1);
  sent(1, 1, 1);
  sent(0.5, 1, 1);
  CHECK(measured("DeadAir", "day") == 2.5);
  CHECK_FALSE(measured("DeadAir", "personal"));
  for (int second = 0; second < 58; ++second) sent(0, 1, 1);
  CHECK(measured("DeadAir", "day") == 1.5);
  for (int second = 0; second < 2; ++second) sent(0, 1, 1);
  CHECK(measured("DeadAir", "day") == 0);
}

TEST_CASE_FIXTURE(MeasuresFixture,
                  "DeadAir: music lost or late since streamd stood still, for each listener") {
  const auto sent = [&](double due, double overrun, double backlog, double late) {
    add({rise("auralis_chunks_due_total", due),
         rise("websocket_chunks_dropped_total", overrun, {{"reason", "overrun"}}),
         rise("websocket_chunks_dropped_total", backlog, {{"reason", "backlog"}}),
         counted(kHandover, due - overrun - late, 0, late)});
  };
  sent(0, 0, 0, 0);
  for (int second = 0; second < 52; ++second) sent(100, 0, 10, 0);
  CHECK(measured("DeadAir") == 0);
  // Ten listeners, and a freeze of 7 s.
  sent(800, 500, 0, 100);
  CHECK(measured("DeadAir") == doctest::Approx(60 * 600.0 / 6'000));
}

TEST_CASE_FIXTURE(MeasuresFixture, "DeadAir: streamd stands still, if it has listeners") {
  const auto still = [&](double age_s, double listeners) {
    add({gauge_of("auralis_heartbeat_age_seconds", age_s, {{"process", "streamd"}}),
         gauge_of("websocket_active_connections", listeners)});
  };
  still(3, 1);
  CHECK(measured("DeadAir", "streamd") == 3);
  still(3, 0);
  CHECK_FALSE(measured("DeadAir", "streamd"));
}

TEST_CASE_FIXTURE(MeasuresFixture, "NobodyGetsIn: refusals for any reason, unless they are few") {
  const auto attempts = [&](double origin, double limit, double accepted) {
    add({rise("websocket_connections_rejected_total", origin, {{"reason", "origin"}}),
         rise("websocket_connections_rejected_total", limit, {{"reason", "limit"}}),
         rise("websocket_connections_total", accepted)});
  };
  attempts(0, 0, 0);
  CHECK_FALSE(measured("NobodyGetsIn"));
  attempts(5, 4, 0);
  CHECK_FALSE(measured("NobodyGetsIn"));
  attempts(0, 1, 0);
  CHECK(measured("NobodyGetsIn") == 100);
  attempts(0, 0, 10);
  CHECK(measured("NobodyGetsIn") == 50);
}

TEST_CASE_FIXTURE(MeasuresFixture, "NoActiveConnections: attempts to listen of which none succeeds") {
  const auto after = [&](double origin, double path, double active, double chunks) {
    add({gauge_of("websocket_active_connections", active), rise("websocket_connections_total", 0),
         rise("websocket_chunks_sent_total", chunks),
         rise("websocket_connections_rejected_total", origin, {{"reason", "origin"}}),
         rise("websocket_connections_rejected_total", path, {{"reason", "path"}})});
  };
  after(0, 0, 0, 0);
  after(0, 5, 0, 0);
  CHECK(measured("NoActiveConnections") == 0);
  after(2, 0, 0, 0);
  CHECK(measured("NoActiveConnections") == 2);
  after(1, 0, 1, 0);
  CHECK(measured("NoActiveConnections") == 0);
  after(0, 0, 0, 10);
  CHECK(measured("NoActiveConnections") == 0);
}

TEST_CASE_FIXTURE(MeasuresFixture, "CrashLoop: starts of a process within ten minutes") {
  const auto started = [&](double synthd, double streamd) {
    add({rise("auralis_daemon_starts_total", synthd, {{"process", "synthd"}}),
         rise("auralis_daemon_starts_total", streamd, {{"process", "streamd"}})});
  };
  started(1, 1);
  for (int start = 0; start < 3; ++start) started(0, 1);
  CHECK(measured("CrashLoop", "synthd") == 0);
  CHECK(measured("CrashLoop", "streamd") == 3);
  for (int second = 0; second < 600; ++second) started(0, 0);
  CHECK(measured("CrashLoop", "streamd") == 0);
}

TEST_CASE_FIXTURE(MeasuresFixture, "SynthesisLatencyHigh: the quantile over five minutes") {
  const auto rendered = [&](double fast, double slow) {
    add({counted("audio_synthesis_latency_ms", fast, slow, 0)});
  };
  rendered(0, 0);
  CHECK_FALSE(measured("SynthesisLatencyHigh"));
  for (int second = 0; second < 300; ++second) rendered(10, 0);
  CHECK(measured("SynthesisLatencyHigh").value() < 100);
  for (int second = 0; second < 30; ++second) rendered(5, 5);
  CHECK(measured("SynthesisLatencyHigh").value() > 150);
  for (int second = 0; second < 301; ++second) rendered(10, 0);
  CHECK(measured("SynthesisLatencyHigh").value() < 100);
}

TEST_CASE_FIXTURE(MeasuresFixture,
                  "ChunkDeliveryLatencyHigh: not for one slow line, few chunks, or what is over") {
  const auto sent = [&](double fast, double slow, double handed_late, double behind, double active) {
    add({counted(kDelivery, fast, slow, 0), counted(kHandover, fast, handed_late, 0),
         gauge_of("auralis_listeners_behind", behind), gauge_of("websocket_active_connections", active)});
  };
  const auto for_a_minute = [&](double fast, double slow, double handed_late, double behind, double active) {
    for (int second = 0; second < 60; ++second) sent(fast, slow, handed_late, behind, active);
  };
  sent(0, 0, 0, 0, 0);
  for_a_minute(390, 10, 0, 1, 40);
  CHECK_FALSE(measured("ChunkDeliveryLatencyHigh"));
  CHECK(readings("ChunkDeliveryLatencyHigh").front().measured > 100);
  INFO("more than one in twenty are behind, or the service is late itself");
  for (int minute = 0; minute < 5; ++minute) for_a_minute(390, 10, 0, 3, 40);
  CHECK(measured("ChunkDeliveryLatencyHigh").value() > 100);
  for (int minute = 0; minute < 5; ++minute) for_a_minute(390, 10, 10, 0, 40);
  CHECK(measured("ChunkDeliveryLatencyHigh").value() > 100);
  INFO("it was so a minute ago");
  for_a_minute(400, 0, 0, 0, 40);
  CHECK_FALSE(measured("ChunkDeliveryLatencyHigh"));
  INFO("a single listener's 10 chunks a second for less than 50 s");
  for (int minute = 0; minute < 5; ++minute) for_a_minute(0, 0, 0, 0, 0);
  for (int second = 0; second < 49; ++second) sent(0, 10, 10, 1, 1);
  CHECK_FALSE(measured("ChunkDeliveryLatencyHigh"));
  sent(0, 10, 10, 1, 1);
  CHECK(measured("ChunkDeliveryLatencyHigh").value() > 100);
}

TEST_CASE_FIXTURE(MeasuresFixture, "DeliveryVarianceHigh: if streamd itself hands over late") {
  const auto uneven = [&](double handed_late) {
    add({gauge_of("audio_chunk_delivery_variance_ms", 42), counted(kHandover, 0, handed_late, 0)});
  };
  uneven(0);
  uneven(0);
  CHECK_FALSE(measured("DeliveryVarianceHigh"));
  uneven(10);
  CHECK(measured("DeliveryVarianceHigh") == 42);
}

TEST_CASE_FIXTURE(MeasuresFixture, "EndToEndLatencyHigh: of few reports the quantile does not count") {
  const auto reported = [&](double fast, double slow) {
    add({counted("audio_end_to_end_latency_ms", fast, slow, 0)});
  };
  reported(0, 0);
  CHECK_FALSE(measured("EndToEndLatencyHigh"));
  for (int second = 0; second < 99; ++second) reported(0, 1);
  CHECK_FALSE(measured("EndToEndLatencyHigh"));
  reported(0, 1);
  CHECK(measured("EndToEndLatencyHigh").value() > 300);
}

TEST_CASE_FIXTURE(MeasuresFixture,
                  "ratios: absent without either part, or where there is nothing to divide by") {
  add({gauge_of("network_bandwidth_mbps", 60), gauge_of("websocket_active_connections", 0),
       gauge_of("gpu_memory_allocated_mb", 6'000)});
  CHECK_FALSE(measured("BandwidthPerStreamHigh"));
  CHECK_FALSE(measured("GPUMemoryHigh"));
  add({gauge_of("network_bandwidth_mbps", 60), gauge_of("websocket_active_connections", 4),
       gauge_of("gpu_memory_allocated_mb", 6'000), gauge_of("auralis_gpu_memory_total_mb", 8'000)});
  CHECK(measured("BandwidthPerStreamHigh") == 15);
  CHECK(measured("GPUMemoryHigh") == 75);
}

TEST_CASE_FIXTURE(MeasuresFixture, "MemoryHigh: of each process, its own memory alone") {
  add({gauge_of("auralis_memory_mb", 3'000, {{"process", "streamd"}, {"kind", "anon"}}),
       gauge_of("auralis_memory_mb", 9'000, {{"process", "streamd"}, {"kind", "shmem"}}),
       gauge_of("auralis_memory_mb", 100, {{"process", "synthd"}, {"kind", "anon"}})});
  CHECK(readings("MemoryHigh").size() == 2);
  CHECK(measured("MemoryHigh", "streamd") == 3'000);
}

TEST_CASE_FIXTURE(MeasuresFixture,
                  "PlayerSilenceHigh: the share of silence in ten minutes, if enough was played") {
  const auto played = [&](double listened_ms, double silence_ms) {
    add({rise("auralis_player_listened_ms_total", listened_ms),
         rise("auralis_player_silence_ms_total", silence_ms)});
  };
  played(0, 0);
  CHECK_FALSE(measured("PlayerSilenceHigh"));
  played(500'000, 1'000);
  CHECK_FALSE(measured("PlayerSilenceHigh"));
  played(500'000, 1'000);
  CHECK(measured("PlayerSilenceHigh").value_or(0) == doctest::Approx(0.2));
  for (int second = 0; second < 600; ++second) played(1'000, 0);
  CHECK(measured("PlayerSilenceHigh") == 0);
}

TEST_CASE_FIXTURE(MeasuresFixture, "ListenersBehind: the least of ten minutes") {
  for (int second = 0; second < 30; ++second)
    add({gauge_of("auralis_listeners_behind", second == 20 ? 1 : 3)});
  CHECK(measured("ListenersBehind") == 1);
}

TEST_CASE_FIXTURE(MeasuresFixture, "LogLoss, EngineFailover: how much was counted within ten minutes") {
  const auto counts = [&](double lost, double failovers) {
    add({rise("auralis_log_messages_dropped_total", lost, {{"process", "streamd"}}),
         rise("auralis_engine_failovers_total", failovers)});
  };
  counts(5, 1);
  counts(7, 1);
  CHECK(measured("LogLoss", "streamd") == 7);
  CHECK(measured("EngineFailover") == 1);
  for (int second = 0; second < 600; ++second) counts(0, 0);
  CHECK(measured("LogLoss", "streamd") == 0);
}

TEST_CASE_FIXTURE(MeasuresFixture, "ProbeWrong: what a recent probe found") {
  const auto probed = [&](double wrong, double age_s) {
    const std::vector<MetricLabel> labels{{"station", "day"}, {"format", "pcm"}};
    add({gauge_of("auralis_probe_chunks_wrong", wrong, labels),
         gauge_of("auralis_probe_last_run_timestamp_seconds",
                  static_cast<double>(clock.unix_ns()) / kNsPerSecond - age_s, labels)});
  };
  probed(4, 0);
  CHECK(measured("ProbeWrong", "day") == 4);
  probed(4, 2'000);
  CHECK_FALSE(measured("ProbeWrong", "day"));
}

}  // namespace auralis::alert_measures_test
