// SPDX-License-Identifier: MIT
#include "metricsd/metrics_daemon.h"

#include <algorithm>
#include <stdexcept>

#include "tests/unit/metricsd/exposition.h"
#include "tests/unit/metricsd/subscriber.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace {

using namespace auralis;
using namespace auralis::metricsd_test;

struct Bench {
  TemporaryFolder folder;
  Config config;
  MovedClock clock;

  Bench() {
    config.runtime.dir = folder.path();
    config.metricsd.host = "127.0.0.1";
    config.metricsd.port = 0;
    config.metricsd.zmq_endpoint = "tcp://127.0.0.1:*";
  }
};

}  // namespace

TEST_CASE("MetricsDaemon: each step publishes a whole snapshot, numbered without gaps") {
  Bench bench;
  MetricsDaemon daemon(bench.config, bench.clock);
  FakeSynthd synthd(bench.config, Daemon::kSynthd, bench.clock);
  synthd.metrics.memory_mb.set(5);
  Subscriber subscriber(daemon.zmq_endpoint(), "metrics");
  const auto step = [&] {
    bench.clock.advance_ms(1'000);
    synthd.beat(bench.clock);
    daemon.step();
  };
  auto frames = subscriber.first(step);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0] == "metrics");
  std::uint64_t seq = nlohmann::json::parse(frames[1]).at("seq");
  for (int message = 0; message < 5; ++message) {
    step();
    // Messages of the attempts before may still be under way: they come first, in order.
    frames = subscriber.first([] {});
    REQUIRE(frames.size() == 2);
    const auto snapshot = nlohmann::json::parse(frames[1]);
    CHECK(snapshot.at("seq") == ++seq);
    const auto& metrics = snapshot.at("metrics");
    CHECK(metrics.size() > 10);
    // Derived from the samples of several steps.
    CHECK(std::any_of(metrics.begin(), metrics.end(),
                      [](const auto& metric) { return metric.at("name") == "gpu_utilization_percent"; }));
  }
}

TEST_CASE("MetricsDaemon: a daemon that comes or goes is an event, once") {
  Bench bench;
  MetricsDaemon daemon(bench.config, bench.clock);
  Subscriber subscriber(daemon.zmq_endpoint(), "event");
  const auto come_and_go = [&] {
    {
      const FakeSynthd synthd(bench.config, Daemon::kSynthd, bench.clock);
      daemon.step();
      daemon.step();
    }
    daemon.step();
    daemon.step();
  };
  REQUIRE(subscriber.first(come_and_go).size() == 2);
  while (!subscriber.next().empty()) {
  }
  come_and_go();
  for (const char* what : {"up", "down"}) {
    const auto frames = subscriber.next();
    REQUIRE(frames.size() == 2);
    CHECK(frames[0] == "event");
    const auto event = nlohmann::json::parse(frames[1]);
    CHECK(event.at("process") == "synthd");
    CHECK(event.at("event") == what);
  }
  CHECK(subscriber.next().empty());
}

TEST_CASE("MetricsDaemon: what it publishes is what /metrics says, and it is healthy while it steps") {
  Bench bench;
  MetricsDaemon daemon(bench.config, bench.clock);
  CHECK(status_of(http(daemon.http_port(), "GET", "/readyz")) == 200);
  FakeStreamd streamd(bench.config, Daemon::kStreamd, bench.clock);
  streamd.metrics.sent.add(77);
  Subscriber subscriber(daemon.zmq_endpoint(), "metrics");
  const auto frames = subscriber.first([&] { daemon.step(); });
  REQUIRE(frames.size() == 2);
  const Exposition page = parse_exposition(body_of(http(daemon.http_port(), "GET", "/metrics")));
  const auto snapshot = nlohmann::json::parse(frames[1]);
  for (const auto& metric : snapshot.at("metrics")) {
    const std::string name = metric.at("name");
    // These two counted the scrape and the publication in between.
    if (name == "auralis_scrapes_total" || name == "auralis_snapshots_published_total") continue;
    const auto* sample = page.find(name, metric.at("labels").get<Exposition::Labels>());
    REQUIRE_MESSAGE(sample != nullptr, name);
    CHECK_MESSAGE(sample->value == doctest::Approx(metric.at("value").get<double>()), name);
  }

  CHECK(daemon.healthy());
  bench.clock.advance_ms(SegmentReader::kHungAfterNs / kNsPerMs);
  CHECK_FALSE(daemon.healthy());
  daemon.step();
  CHECK(daemon.healthy());
}

TEST_CASE("MetricsDaemon: steps by itself once started, and an endpoint of its is refused to another") {
  Bench bench;
  MetricsDaemon daemon(bench.config, bench.clock);
  Subscriber subscriber(daemon.zmq_endpoint(), "metrics");
  daemon.start();
  CHECK(subscriber.first([] {}).size() == 2);

  Config other = bench.config;
  other.metricsd.zmq_endpoint = daemon.zmq_endpoint();
  CHECK_THROWS_AS(MetricsDaemon(other, bench.clock), std::runtime_error);
  other = bench.config;
  other.metricsd.port = daemon.http_port();
  CHECK_THROWS_AS(MetricsDaemon(other, bench.clock), std::runtime_error);
}
