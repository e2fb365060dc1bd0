// SPDX-License-Identifier: MIT
#include "metricsd/metrics_daemon.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

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

TEST_CASE_FIXTURE(RuntimeFixture,
                  "MetricsDaemon: what is counted is an event of each second, extended while it lasts") {
  MetricsDaemon daemon(config, clock);
  FakeStreamd streamd(config, Daemon::kStreamd, clock);
  Subscriber subscriber(daemon.zmq_endpoint(), "event");
  const auto step_after = [&](double chunks) {
    streamd.metrics.underruns.add(chunks);
    clock.now += kNsPerSecond;
    streamd.beat(clock);
    daemon.step();
  };
  REQUIRE(subscriber.first([&] { step_after(1); }).size() == 2);
  for (int second = 0; second < 5; ++second) step_after(0);
  while (!subscriber.next().empty()) {
  }
  step_after(10);
  step_after(7);
  const auto begun = nlohmann::json::parse(subscriber.next().at(1));
  const auto extended = nlohmann::json::parse(subscriber.next().at(1));
  CHECK(begun.at("event") == "hole");
  CHECK(begun.at("count") == 10);
  CHECK(extended.at("count") == 7);
  CHECK(extended.at("total") == 17);
  CHECK(extended.at("id") == begun.at("id"));
  CHECK(extended.at("seq") == begun.at("seq").get<int>() + 1);
  CHECK(subscriber.next().empty());
}

TEST_CASE_FIXTURE(RuntimeFixture, "MetricsDaemon: a late subscriber gets the last events, once") {
  MetricsDaemon daemon(config, clock);
  for (std::size_t time = 0; time < MetricsDaemon::kHistoryEvents / 2; ++time) {
    {
      const FakeSynthd synthd(config, Daemon::kSynthd, clock);
      daemon.step();
    }
    daemon.step();
  }
  Subscriber late(daemon.zmq_endpoint(), "history");
  const auto frames = late.first([&] { daemon.step(); });
  REQUIRE(frames.size() == 2);
  CHECK(frames[0] == "history");
  const nlohmann::json events = nlohmann::json::parse(frames[1]).at("events");
  REQUIRE(events.size() == MetricsDaemon::kHistoryEvents);
  CHECK(events.back().at("event") == "down");
  for (std::size_t event = 1; event < events.size(); ++event) {
    CHECK(events[event].at("seq") == events[event - 1].at("seq").get<int>() + 1);
  }
  daemon.step();
  CHECK(late.next().empty());
  INFO("one that subscribes to everything is a late subscriber, too");
  Subscriber to_all(daemon.zmq_endpoint(), "");
  // libzmq may take the subscription up while a step publishes: then its metrics come before the next step's
  // answer.
  std::vector<std::string> topics;
  while (topics.size() < Subscriber::kAttempts && (topics.empty() || topics.back() != "history")) {
    topics.push_back(to_all.first([&] { daemon.step(); }).at(0));
  }
  CHECK(topics.back() == "history");
}

TEST_CASE_FIXTURE(RuntimeFixture, "MetricsDaemon: another run has another id, and counts from 1 again") {
  const auto published = [&] {
    MetricsDaemon daemon(config, clock);
    Subscriber subscriber(daemon.zmq_endpoint(), "metrics");
    return nlohmann::json::parse(subscriber.first([&] { daemon.step(); }).at(1));
  };
  const auto first = published();
  const auto second = published();
  CHECK(first.at("run").at("id") != second.at("run").at("id"));
  CHECK(second.at("seq") < Subscriber::kAttempts);
}

TEST_CASE_FIXTURE(
    RuntimeFixture,
    "MetricsDaemon: a subscriber that does not read misses messages, which it sees by their seq") {
  constexpr std::uint64_t kSteps = 400;
  config.metricsd.zmq_endpoint = "ipc://" + (folder.path() / "zmq").string();
  MetricsDaemon daemon(config, clock);
  Subscriber slow(daemon.zmq_endpoint(), "metrics", 1);
  const auto seq_of = [](const std::vector<std::string>& frames) {
    return nlohmann::json::parse(frames.at(1)).at("seq").get<std::uint64_t>();
  };
  const std::uint64_t first = seq_of(slow.first([&] { daemon.step(); }));
  for (std::uint64_t step = 0; step < kSteps; ++step) daemon.step();
  std::uint64_t received = 0;
  std::uint64_t last = first;
  for (auto frames = slow.next(); !frames.empty(); frames = slow.next()) {
    CHECK(seq_of(frames) > last);
    last = seq_of(frames);
    ++received;
  }
  INFO("what is kept for it is bounded");
  CHECK(received < kSteps / 2);
  daemon.step();
  CHECK(seq_of(slow.first([] {})) - first > received + kSteps / 2);
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
