// SPDX-License-Identifier: MIT
// metricsd over HTTP: /metrics in Prometheus' text format or in OpenMetrics, /healthz, /readyz, and the
// dashboard at /, which reads /api/history once and then follows /api/live. The only unit that includes
// prometheus-cpp, of which it uses the serializer but not the Exposer: that adds quantiles of its own, which
// are NaN until the second scrape and after a minute without one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "metricsd/dashboard.h"
#include "metricsd/http_endpoint.h"
#include "metricsd/snapshot.h"

namespace auralis {

// The text that /metrics answers with: format 0.0.4.
std::string exposition(const Snapshot& snapshot);

// Serves from its own thread for its lifetime.
class PrometheusExporter {
 public:
  // `source` and `dashboard` must outlive it. Throws std::runtime_error, naming the address, if it cannot
  // serve there.
  PrometheusExporter(const HttpEndpoint& endpoint, SnapshotSource& source, const Dashboard& dashboard);
  ~PrometheusExporter();
  PrometheusExporter(const PrometheusExporter&) = delete;
  PrometheusExporter& operator=(const PrometheusExporter&) = delete;

  // Sends what Dashboard::add() returned to all open dashboards. Any thread.
  void publish_live(std::string_view json);

  // The port it listens at.
  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
