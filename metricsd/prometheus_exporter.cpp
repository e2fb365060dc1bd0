// SPDX-License-Identifier: MIT
#include "metricsd/prometheus_exporter.h"

#include <exception>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "common/access/secret_file.h"
#include "common/access/tls_certificate.h"
#include "embedded/runbooks_md.h"
#include "embedded/web_files.h"
#include "metricsd/http_negotiation.h"
#include "metricsd/http_server.h"
#include "metricsd/openmetrics.h"
#include "metricsd/probe_page.h"
#include "metricsd/runbooks.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace auralis {
namespace {

constexpr std::string_view kLive = "/api/live";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kExposition = "text/plain; version=0.0.4; charset=utf-8";

std::uint64_t whole(double count) { return static_cast<std::uint64_t>(count); }

prometheus::ClientMetric::Histogram histogram_of(const MetricSample& sample) {
  const std::vector<double> counts = cumulative_buckets(sample);
  prometheus::ClientMetric::Histogram histogram;
  histogram.sample_count = whole(counts.back());
  histogram.sample_sum = sample.sum;
  for (std::size_t bound = 0; bound < sample.spec.bounds.size(); ++bound) {
    histogram.bucket.push_back({whole(counts[bound]), sample.spec.bounds[bound]});
  }
  histogram.bucket.push_back({whole(counts.back()), std::numeric_limits<double>::infinity()});
  return histogram;
}

prometheus::ClientMetric metric_of(const MetricSample& sample) {
  prometheus::ClientMetric metric;
  for (const auto& label : sample.spec.labels) metric.label.push_back({label.name, label.value});
  switch (sample.spec.type) {
    case MetricType::kCounter:
      metric.counter.value = sample.value;
      break;
    case MetricType::kGauge:
      metric.gauge.value = sample.value;
      break;
    case MetricType::kHistogram:
      metric.histogram = histogram_of(sample);
      break;
  }
  return metric;
}

prometheus::MetricType type_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

std::vector<prometheus::MetricFamily> families_for_prometheus(const Snapshot& snapshot) {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& family : snapshot.families) {
    prometheus::MetricFamily converted{family.name, family.help, type_of(family.type), {}};
    for (const auto& sample : family.samples) converted.metric.push_back(metric_of(sample));
    families.push_back(std::move(converted));
  }
  return families;
}

// The depths of the configured stations' rings, by name; in milliseconds.
std::map<std::string, double> configured_depths(const Snapshot& snapshot) {
  std::map<std::string, double> depths;
  for (const auto& family : snapshot.families) {
    if (family.name != kRingDepth) continue;
    for (const auto& sample : family.samples) depths[sample.spec.labels.at(0).value] = sample.value;
  }
  depths.erase(std::string(kPersonalLabel));
  return depths;
}

// 200 while all daemons are up and every configured station has audio ahead of now, else 503; and why.
HttpPage readiness(const Snapshot& snapshot) {
  std::string reasons;
  std::string text;
  for (const Daemon daemon : kDaemons) {
    const bool up = snapshot.up[daemon_index(daemon)];
    text.append(daemon_name(daemon)).append(up ? ": up\n" : ": down\n");
    if (!up) reasons.append(daemon_name(daemon)).append(" is down or hangs\n");
  }
  const auto depths = configured_depths(snapshot);
  if (depths.empty()) reasons.append("no configured station plays\n");
  for (const auto& [station, depth_ms] : depths) {
    text.append("station ").append(station).append(depth_ms > 0 ? ": audio ahead\n" : ": no audio ahead\n");
    if (!(depth_ms > 0)) reasons.append("the ring of station ").append(station).append(" has run dry\n");
  }
  if (reasons.empty()) return {kText, "ready\n" + text};
  return {kText, "not ready\n" + reasons + text, 503};
}

// In the format that the client prefers.
HttpPage metrics_page(SnapshotSource& source, const Dashboard& dashboard, std::string_view accept) {
  if (!prefers_openmetrics(accept)) return {kExposition, source.scrape(exposition), 200};
  const auto serialize = [exemplars = dashboard.exemplars()](const Snapshot& snapshot) {
    return openmetrics(snapshot, exemplars);
  };
  return {kOpenMetricsType, source.scrape(serialize), 200};
}

}  // namespace

std::string exposition(const Snapshot& snapshot) {
  return prometheus::TextSerializer().Serialize(families_for_prometheus(snapshot));
}

struct PrometheusExporter::Impl {
  SnapshotSource& source;
  HttpServer server;  // last: its thread uses the others

  Impl(const HttpEndpoint& endpoint, SnapshotSource& s, const Dashboard& dashboard)
      : source(s), server(endpoint, pages(dashboard), {std::string(kLive)}) {}

  HttpPages pages(const Dashboard& dashboard) {
    HttpPages pages{{"/metrics",
                     [this, &dashboard](const HttpRequest& request) {
                       return metrics_page(source, dashboard, request.accept);
                     }},
                    {"/healthz",
                     [](const HttpRequest&) {
                       return HttpPage{kText, "ok\n"};
                     }},
                    {"/readyz", [this](const HttpRequest&) { return readiness(source.view()); }},
                    {"/probe",
                     [this](const HttpRequest&) {
                       return HttpPage{kText, probe_page(source.view())};
                     }},
                    {"/api/history", [&dashboard](const HttpRequest&) {
                       return HttpPage{kJson, dashboard.whole()};
                     }}};
    pages["/runbooks"] = [](const HttpRequest&) {
      return HttpPage{kText, std::string(embedded::runbooks_md)};
    };
    for (const auto& [alert, section] : markdown_sections(embedded::runbooks_md)) {
      pages["/runbooks/" + std::string(alert)] = [text = std::string(section)](const HttpRequest&) {
        return HttpPage{kText, text};
      };
    }
    for (const WebFile& file : embedded::kWebFiles) {
      pages[std::string(file.path)] = [&file](const HttpRequest&) {
        return HttpPage{file.content_type, std::string(file.bytes)};
      };
    }
    return pages;
  }
};

PrometheusExporter::PrometheusExporter(const HttpEndpoint& endpoint, SnapshotSource& source,
                                       const Dashboard& dashboard) try
    : impl_(std::make_unique<Impl>(endpoint, source, dashboard)) {
} catch (const TlsError& error) {
  throw std::runtime_error(std::string("metricsd.") + error.what());
} catch (const SecretError& error) {
  throw std::runtime_error(std::string("metricsd.password_file: ") + error.what());
} catch (const std::exception& error) {
  throw std::runtime_error("cannot serve " + http_url(endpoint) +
                           "/ (metricsd.host, metricsd.port): " + error.what());
}
PrometheusExporter::~PrometheusExporter() = default;

void PrometheusExporter::publish_live(std::string_view json) { impl_->server.publish(kLive, json); }

int PrometheusExporter::port() const { return impl_->server.port(); }

}  // namespace auralis
