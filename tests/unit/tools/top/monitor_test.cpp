// SPDX-License-Identifier: MIT
// Of daemons that the test makes from real segments. The real ones are top_test.py's.
#include "tools/top/monitor.h"

#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::monitor_test {

using namespace test;

namespace {

// Of a metricsd that does not listen.
Config without_metricsd(Config config) {
  config.metricsd.port = 1;
  return config;
}

struct Fixture : RuntimeFixture {
  Monitor monitor{without_metricsd(config), clock};

  View view_after_sample() {
    clock.now += kNsPerSecond;
    monitor.sample();
    return monitor.view(60 * kNsPerSecond);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "without daemons all are down, and their segments are said to be missing") {
  const View view = view_after_sample();
  CHECK(view.health == Health::kDown);
  REQUIRE(view.daemons.size() == 3);
  for (const DaemonView& daemon : view.daemons) CHECK(daemon.status == DaemonStatus::kDown);
  CHECK(view.daemons[0].problem.find("does not exist") != std::string::npos);
  CHECK(view.daemons[2].problem.find("metricsd does not listen at 127.0.0.1:1: ") == 0);
  CHECK_FALSE(view.daemons[0].heartbeat_age_s);
}

TEST_CASE_FIXTURE(Fixture, "daemons that run are up, with the age of their heartbeat") {
  FakeSynthd synthd(config, Daemon::kSynthd, clock);
  FakeStreamd streamd(config, Daemon::kStreamd, clock);
  streamd.beat(clock);
  synthd.metrics.memory_mb.set(77);
  const View view = view_after_sample();
  CHECK(view.daemons[0].status == DaemonStatus::kUp);
  CHECK(view.daemons[0].problem.empty());
  CHECK(view.daemons[1].heartbeat_age_s == doctest::Approx(1));
  CHECK(view.daemons[0].memory_mb == 77);
  CHECK(view.health == Health::kHealthy);
}

TEST_CASE_FIXTURE(Fixture, "what a second brought is a rate, and metrics are those of the daemons alone") {
  FakeSynthd synthd(config, Daemon::kSynthd, clock);
  FakeStreamd streamd(config, Daemon::kStreamd, clock);
  view_after_sample();
  streamd.metrics.send(10);
  synthd.metrics.synthesis_ms.observe(20);
  synthd.beat(clock);
  streamd.beat(clock);
  const View view = view_after_sample();
  CHECK(view.window_s == doctest::Approx(1));
  CHECK(view.latencies[0].p50.value() > 10);
  CHECK(view.success_percent == 100);
  CHECK(metric(monitor.snapshot(), "websocket_chunks_sent_total") == 10);
  CHECK(metric(monitor.snapshot(), "auralis_up", "synthd") == 1);
  CHECK_FALSE(metric(monitor.snapshot(), "auralis_up", "metricsd"));
  CHECK_FALSE(metric(monitor.snapshot(), "memory_usage_mb", "metricsd"));
  CHECK_FALSE(metric(monitor.snapshot(), "auralis_scrapes_total"));
}

TEST_CASE_FIXTURE(Fixture, "hung, ended and foreign daemons are told apart") {
  {
    FakeSynthd synthd(config, Daemon::kSynthd, clock);
    FakeStreamd streamd(config, Daemon::kStreamd, clock);
    view_after_sample();
    clock.now += SegmentReader::kHungAfterNs;
    const View hung = view_after_sample();
    CHECK(hung.daemons[0].status == DaemonStatus::kHung);
    CHECK(hung.daemons[0].heartbeat_age_s.value() > 5);
    CHECK(hung.health == Health::kDown);
    synthd.beat(clock);
    streamd.beat(clock);
    CHECK(view_after_sample().daemons[0].status == DaemonStatus::kUp);
  }
  const View ended = view_after_sample();
  CHECK(ended.daemons[0].status == DaemonStatus::kDown);
  CHECK(ended.daemons[0].problem == "synthd is not running");
  write_file(config.daemon_dir(Daemon::kStreamd) / "metrics", std::string(10'000, 'x'));
  const View foreign = view_after_sample();
  CHECK(foreign.daemons[1].status == DaemonStatus::kUnreadable);
  CHECK(foreign.daemons[1].problem.find("is not a segment") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "metricsd is up where its port takes connections") {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  require(::bind(listening, any, size) == 0 && ::listen(listening, 4) == 0, "listen");
  require(::getsockname(listening, any, &size) == 0, "getsockname");
  Config other = config;
  other.metricsd.port = ntohs(address.sin_port);
  Monitor watching(other, clock);
  watching.sample();
  CHECK(watching.view(1).daemons[2].status == DaemonStatus::kUp);
  ::close(listening);
  watching.sample();
  CHECK(watching.view(1).daemons[2].status == DaemonStatus::kDown);
}

}  // namespace auralis::monitor_test
