// SPDX-License-Identifier: MIT
#include "metricsd/prometheus_exporter.h"

#include <deque>
#include <stdexcept>
#include <thread>

#include "tests/unit/metricsd/exposition.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::prometheus_exporter_test {
namespace {

using namespace test;

struct Bench : SnapshotFixture {
  Dashboard dashboard{config, clock, "run"};
  std::optional<PrometheusExporter> exporter;

  Bench() {
    source.sample();
    exporter.emplace(HttpEndpoint{"127.0.0.1", 0}, source, dashboard);
  }
  std::string get(const std::string& path) const { return http(exporter->port(), "GET", path); }
};

}  // namespace

TEST_CASE_FIXTURE(Bench,
                  "/readyz is 503 with reasons unless all daemons are up and each station has audio ahead") {
  const FakeStreamd streamd(config, Daemon::kStreamd, clock);
  CHECK(status_of(get("/readyz")) == 503);
  CHECK(body_of(get("/readyz")) ==
        "not ready\nsynthd is down or hangs\nno configured station plays\n"
        "synthd: down\nstreamd: up\nmetricsd: up\n");

  const Timeline timeline{clock.now, 44'100, 4'410, 2};
  AudioWriter audio(config.daemon_dir(Daemon::kSynthd), timeline, 20, 2);
  MetricsWriter metrics(config.daemon_dir(Daemon::kSynthd), declared_metrics<FakeSynthMetrics>(), 1,
                        clock.now);
  audio.publish(clock.now);
  const std::vector<std::int16_t> samples(timeline.chunk_samples());
  for (const auto& [row, name] : {std::pair<std::size_t, const char*>{0, "day"}, {1, "night"}}) {
    StationState state = named_state(name);
    state.history = begun_with(kPresets[0].parameters);
    audio.open(row, state);
    audio.write_chunk(row, 7, samples.data());
  }
  CHECK(status_of(get("/readyz")) == 200);
  CHECK(
      body_of(get("/readyz")) ==
      "ready\nsynthd: up\nstreamd: up\nmetricsd: up\nstation day: audio ahead\nstation night: audio ahead\n");

  clock.now += timeline.chunk_ns() * 9;
  audio.write_chunk(0, 12, samples.data());
  CHECK(status_of(get("/readyz")) == 503);
  CHECK(contains(body_of(get("/readyz")), "not ready\nthe ring of station night has run dry\n"));
}

TEST_CASE_FIXTURE(Bench, "PrometheusExporter: every path and method is answered as it should be") {
  INFO("/metrics shows the metrics and counts its answers");
  const std::string answer = get("/metrics");
  CHECK(status_of(answer) == 200);
  CHECK(contains(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  CHECK(parse_exposition(body_of(answer)).find("auralis_up", {{"process", "synthd"}})->value == 0);
  CHECK(parse_exposition(body_of(answer)).find("auralis_scrapes_total")->value == 1);
  CHECK(parse_exposition(body_of(get("/metrics?x=1"))).find("auralis_scrapes_total")->value == 2);

  CHECK(status_of(get("/healthz")) == 200);

  INFO("the page and what it loads are whole");
  const std::string page = get("/");
  CHECK(status_of(page) == 200);
  CHECK(contains(page, "Content-Type: text/html"));
  CHECK(contains(page, "Content-Security-Policy: default-src 'self';"));
  CHECK(contains(body_of(page), "</html>"));
  CHECK(contains(get("/dashboard.js"), "Content-Type: text/javascript"));
  CHECK(contains(get("/dashboard.css"), "Content-Type: text/css"));
  CHECK(body_of(get("/dygraph.min.js")).size() > 100'000);

  INFO("another path is 404, another method 405, and HEAD has no body");
  for (const std::string path :
       {"/nothing", "/metrics/", "/metrics/more", "/package.json", "/../etc/passwd"}) {
    CHECK_MESSAGE(status_of(get(path)) == 404, path);
  }
  for (const std::string method : {"POST", "PUT", "DELETE", "PATCH"}) {
    const std::string refusal = http(exporter->port(), method, "/metrics");
    CHECK_MESSAGE(status_of(refusal) == 405, method);
    CHECK_MESSAGE(contains(refusal, "Allow: GET, HEAD, OPTIONS\r\n"), method);
  }
  CHECK(status_of(http(exporter->port(), "OPTIONS", "/metrics")) == 204);
  INFO("what is not answered with the metrics is not counted as a scrape");
  CHECK(parse_exposition(body_of(get("/metrics"))).find("auralis_scrapes_total")->value == 3);
  for (const std::string path : {"/metrics", "/healthz", "/"}) {
    const std::string head = http(exporter->port(), "HEAD", path);
    CHECK_MESSAGE(status_of(head) == 200, path);
    CHECK_MESSAGE(body_of(head).empty(), path);
  }
}

TEST_CASE_FIXTURE(Bench,
                  "PrometheusExporter: OpenMetrics says which chunk was missing; the text format does not") {
  FakeStreamd streamd(config, Daemon::kStreamd, clock);
  AudioWriter audio(config.daemon_dir(Daemon::kSynthd), {clock.now, 44'100, 4'410, 2}, 20, 2);
  audio.publish(clock.now);
  for (int second = 0; second < 2; ++second) {
    streamd.metrics.underruns.add();
    streamd.beat(clock);
    source.sample();
    dashboard.add(source.take(), {});
    clock.now += kNsPerSecond;
  }
  streamd.beat(clock);
  const std::string page =
      Connection(exporter->port())
          .exchange(
              "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: application/openmetrics-text\r\n"
              "Connection: close\r\n\r\n");
  CHECK(contains(page, "} 2 # {chunk=\"10\"} 1 "));
  CHECK_FALSE(contains(get("/metrics"), "chunk=\"10\""));
}

TEST_CASE_FIXTURE(Bench, "PrometheusExporter: /api/history is what is kept, /api/live each second of it") {
  source.sample();
  exporter->publish_live(dashboard.add(source.take(), {}));
  const std::string history = get("/api/history");
  CHECK(contains(history, "Content-Type: application/json\r\n"));
  CHECK(contains(body_of(history), "\"first\":1,"));
  const Connection dashboard_page(exporter->port());
  const std::string request = "GET /api/live HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(contains(dashboard_page.exchange_until(request, "\n\n"), "text/event-stream"));
  clock.now += kNsPerSecond;
  exporter->publish_live(dashboard.add(source.take(), {}));
  CHECK(contains(dashboard_page.exchange_until("", "]}\n\n"), "\"first\":2,"));
}

TEST_CASE_FIXTURE(Bench,
                  "PrometheusExporter: idle connections, few or more than it keeps, do not block a scrape") {
  std::deque<Connection> idle;
  for (const std::size_t connections : {2U, 10U, 300U}) {
    while (idle.size() < connections) REQUIRE(idle.emplace_back(exporter->port()).open());
    CHECK_MESSAGE(status_of(get("/metrics")) == 200, connections);
  }
}

TEST_CASE_FIXTURE(Bench, "PrometheusExporter: many scrapes at a time are all answered whole") {
  std::atomic<int> good{0};
  std::deque<std::thread> scrapers;
  for (int scraper = 0; scraper < 6; ++scraper) {
    scrapers.emplace_back([&] {
      for (int scrape = 0; scrape < 10; ++scrape) {
        const std::string body = body_of(get("/metrics"));
        if (!body.empty() && parse_exposition(body).find("auralis_scrapes_total") != nullptr) ++good;
      }
    });
  }
  for (auto& scraper : scrapers) scraper.join();
  CHECK(good == 60);
}

TEST_CASE_FIXTURE(Bench, "PrometheusExporter: an address that cannot be had is one clear error") {
  const std::string taken = "127.0.0.1:" + std::to_string(exporter->port());
  std::string error;
  try {
    const PrometheusExporter second({"127.0.0.1", exporter->port()}, source, dashboard);
  } catch (const std::runtime_error& thrown) {
    error = thrown.what();
  }
  CHECK_MESSAGE(contains(error, taken), error);
  CHECK_MESSAGE(contains(error, "in use"), error);
  CHECK_MESSAGE(!contains(error, "\n"), error);
  CHECK_THROWS_AS(PrometheusExporter({"192.0.2.1", 0}, source, dashboard), std::runtime_error);
  CHECK_THROWS_AS(PrometheusExporter({"no such host", 0}, source, dashboard), std::runtime_error);
  CHECK_THROWS_WITH_AS(PrometheusExporter({"2001:db8::1", 1}, source, dashboard),
                       doctest::Contains("//[2001:db8::1]:1/"), std::runtime_error);
}

}  // namespace auralis::prometheus_exporter_test
