// SPDX-License-Identifier: MIT
#include "metricsd/metrics_daemon.h"

#include <algorithm>
#include <stdexcept>

#include "tests/unit/metricsd/exposition.h"
#include "tests/unit/metricsd/subscriber.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace auralis::metrics_daemon_test {

using namespace test;

TEST_CASE_FIXTURE(RuntimeFixture,
                  "MetricsDaemon: each step publishes a whole snapshot, numbered without gaps") {
  MetricsDaemon daemon(config, clock);
  FakeSynthd synthd(config, Daemon::kSynthd, clock);
  synthd.metrics.memory_mb.set(5);
  Subscriber subscriber(daemon.zmq_endpoint(), "metrics");
  const auto step = [&] {
    clock.now += kNsPerSecond;
    synthd.beat(clock);
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
    CHECK(std::any_of(metrics.begin(), metrics.end(), [](const auto& metric) {
      return metric.at("name") == "auralis_engine_utilization_percent";
    }));
  }
}

TEST_CASE_FIXTURE(RuntimeFixture, "MetricsDaemon: a daemon that comes or goes is an event, once") {
  MetricsDaemon daemon(config, clock);
  Subscriber subscriber(daemon.zmq_endpoint(), "event");
  const auto come_and_go = [&] {
    {
      const FakeSynthd synthd(config, Daemon::kSynthd, clock);
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

TEST_CASE_FIXTURE(
    RuntimeFixture,
    "MetricsDaemon: what it publishes is what /metrics says, and it is healthy while it steps") {
  MetricsDaemon daemon(config, clock);
  CHECK(status_of(http(daemon.http_port(), "GET", "/healthz")) == 200);
  FakeStreamd streamd(config, Daemon::kStreamd, clock);
  streamd.metrics.send(77);
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
  clock.now += SegmentReader::kHungAfterNs;
  CHECK_FALSE(daemon.healthy());
  daemon.step();
  CHECK(daemon.healthy());
}

TEST_CASE_FIXTURE(
    RuntimeFixture,
    "MetricsDaemon: steps by itself once started, and an endpoint of its is refused to another") {
  MetricsDaemon daemon(config, clock);
  Subscriber subscriber(daemon.zmq_endpoint(), "metrics");
  daemon.start();
  CHECK(subscriber.first([] {}).size() == 2);

  Config other = config;
  other.metricsd.zmq_endpoint = daemon.zmq_endpoint();
  CHECK_THROWS_AS(MetricsDaemon(other, clock), std::runtime_error);
  other = config;
  other.metricsd.port = daemon.http_port();
  CHECK_THROWS_AS(MetricsDaemon(other, clock), std::runtime_error);
}

}  // namespace auralis::metrics_daemon_test
