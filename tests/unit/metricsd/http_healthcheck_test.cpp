// SPDX-License-Identifier: MIT
#include "metricsd/http_healthcheck.h"

#include <optional>

#include "metricsd/prometheus_exporter.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::http_healthcheck_test {
namespace {

TEST_CASE_FIXTURE(test::SnapshotFixture, "http_healthcheck: is content with a serving metricsd only") {
  Dashboard dashboard(config, clock);
  std::optional<PrometheusExporter> exporter;
  exporter.emplace("127.0.0.1", 0, source, dashboard);
  const int port = exporter->port();
  CHECK(http_healthcheck("127.0.0.1", port).empty());
  CHECK(http_healthcheck("0.0.0.0", port).empty());
  exporter.reset();
  CHECK_FALSE(http_healthcheck("127.0.0.1", port).empty());
}

}  // namespace
}  // namespace auralis::http_healthcheck_test
