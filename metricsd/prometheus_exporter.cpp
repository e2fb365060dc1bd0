// SPDX-License-Identifier: MIT
#include "metricsd/prometheus_exporter.h"

#include <array>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "common/log.h"
#include "embedded/index_html.h"

#include <civetweb.h>
#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

namespace auralis {
namespace {

constexpr int kHealthcheckMs = 3'000;

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

// Shared memory, as prometheus-cpp wants to see it.
class SharedMemoryCollectable final : public prometheus::Collectable {
 public:
  explicit SharedMemoryCollectable(SnapshotSource& source) : source_(source) {}
  std::vector<prometheus::MetricFamily> Collect() const override {
    return families_for_prometheus(source_.scrape());
  }

 private:
  SnapshotSource& source_;
};

struct Answer {
  int status = 200;
  std::string_view type = "text/plain; charset=utf-8";
  std::string body;
};

// CivetWeb as a library, initialised for as long as somebody needs it; it counts.
struct CivetLibrary {
  CivetLibrary() { mg_init_library(MG_FEATURES_DEFAULT); }
  ~CivetLibrary() { mg_exit_library(); }
  CivetLibrary(const CivetLibrary&) = delete;
  CivetLibrary& operator=(const CivetLibrary&) = delete;
};

struct StopServer {
  void operator()(mg_context* context) const { mg_stop(context); }
};
struct CloseConnection {
  void operator()(mg_connection* connection) const { mg_close_connection(connection); }
};

}  // namespace

std::string exposition(const Snapshot& snapshot) {
  return prometheus::TextSerializer().Serialize(families_for_prometheus(snapshot));
}

struct PrometheusExporter::Impl {
  SnapshotSource& source;
  SharedMemoryCollectable collectable;
  const std::thread::id starter = std::this_thread::get_id();
  std::string complaint;  // the first of CivetWeb's start; of the thread that starts it
  CivetLibrary library;
  std::unique_ptr<mg_context, StopServer> server;  // last: its threads use the others

  explicit Impl(SnapshotSource& s) : source(s), collectable(s) {}

  std::string readiness() const {
    const Snapshot snapshot = source.take();
    std::string text = "ready\n";
    for (const Daemon daemon : kDaemons) {
      text.append(daemon_name(daemon)).append(snapshot.up[daemon_index(daemon)] ? ": up\n" : ": down\n");
    }
    return text;
  }

  // What a GET of the path is answered with.
  Answer answer(std::string_view path) const {
    if (path == "/metrics") {
      return {200, "text/plain; version=0.0.4; charset=utf-8",
              prometheus::TextSerializer().Serialize(collectable.Collect())};
    }
    if (path == "/healthz") return {200, Answer{}.type, "ok\n"};
    if (path == "/readyz") return {200, Answer{}.type, readiness()};
    if (path == "/") return {200, "text/html; charset=utf-8", std::string(embedded::index_html)};
    return {404, Answer{}.type, "There is /metrics, /healthz, /readyz, and a page at /.\n"};
  }

  static int begin_request(mg_connection* connection) {
    const auto& self = *static_cast<const Impl*>(mg_get_user_context_data(connection));
    const mg_request_info& request = *mg_get_request_info(connection);
    const std::string_view method = request.request_method;
    const bool head = method == "HEAD";
    Answer answer = self.answer(request.local_uri == nullptr ? "" : request.local_uri);
    if (answer.status == 200 && method != "GET" && !head) {
      answer = {405, Answer{}.type, "Only GET and HEAD are answered here.\n"};
    }
    std::ostringstream header;
    header << "HTTP/1.1 " << answer.status << ' ' << mg_get_response_code_text(connection, answer.status)
           << "\r\nContent-Type: " << answer.type << "\r\nContent-Length: " << answer.body.size()
           << "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
           << (answer.status == 405 ? "Allow: GET, HEAD\r\n" : "") << "Connection: close\r\n\r\n";
    const std::string reply = head ? header.str() : header.str() + answer.body;
    mg_write(connection, reply.data(), reply.size());
    return answer.status;
  }

  static int log_message(const mg_connection* connection, const char* message) {
    auto* self = static_cast<Impl*>(mg_get_user_data(mg_get_context(connection)));
    const bool at_start = self != nullptr && std::this_thread::get_id() == self->starter;
    if (at_start && self->complaint.empty()) self->complaint = message;
    log_debug("CivetWeb complains", {{"message", std::string(message)}});
    return 1;
  }
};

PrometheusExporter::PrometheusExporter(const std::string& host, std::int64_t port, SnapshotSource& source)
    : impl_(std::make_unique<Impl>(source)) {
  const bool ipv6 = host.find(':') != std::string::npos;
  const std::string address = (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  // Each connection has a thread until it is closed: enough that idle ones do not keep Prometheus waiting,
  // and none for an idle one for long.
  std::array<const char*, 7> options{"listening_ports",    address.c_str(), "num_threads", "50",
                                     "request_timeout_ms", "2000",          nullptr};
  mg_callbacks callbacks{};
  callbacks.begin_request = &Impl::begin_request;
  callbacks.log_message = &Impl::log_message;
  std::unique_ptr<mg_context, StopServer> server(mg_start(&callbacks, impl_.get(), options.data()));
  if (server == nullptr) {
    if (ipv6 && mg_check_feature(MG_FEATURES_IPV6) == 0) impl_->complaint = "this CivetWeb knows no IPv6";
    throw std::runtime_error("cannot serve http://" + address + "/ (metricsd.host, metricsd.port): " +
                             (impl_->complaint.empty() ? "CivetWeb does not start" : impl_->complaint));
  }
  impl_->server = std::move(server);
}
PrometheusExporter::~PrometheusExporter() = default;

int PrometheusExporter::port() const {
  mg_server_port bound{};
  return mg_get_server_ports(impl_->server.get(), 1, &bound) == 1 ? bound.port : 0;
}

std::string http_healthcheck(const std::string& host, std::int64_t port) {
  const CivetLibrary library;
  std::array<char, 256> complaint{};
  const std::unique_ptr<mg_connection, CloseConnection> connection(
      mg_connect_client(host.c_str(), static_cast<int>(port), 0, complaint.data(), complaint.size()));
  if (connection == nullptr) return complaint.data();
  mg_printf(connection.get(), "GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host.c_str());
  if (mg_get_response(connection.get(), complaint.data(), complaint.size(), kHealthcheckMs) < 0) {
    return complaint.data();
  }
  const int status = mg_get_response_info(connection.get())->status_code;
  return status == 200 ? "" : "/healthz answers " + std::to_string(status);
}

}  // namespace auralis
