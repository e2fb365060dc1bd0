// SPDX-License-Identifier: MIT
#include <cstdint>
#include <iostream>

#include "common/base/clock.h"
#include "common/base/descriptor_limit.h"
#include "common/base/log.h"
#include "common/daemon/service.h"
#include "common/daemon/status_report.h"
#include "metricsd/http_endpoint.h"
#include "metricsd/http_healthcheck.h"
#include "metricsd/metrics_daemon.h"

namespace {

// For HTTP and ZeroMQ clients. Fewer serve fewer clients.
constexpr std::uint64_t kDescriptors = 65'536;

int check_health(const auralis::Config& config) {
  const std::string trouble = auralis::http_healthcheck(http_endpoint(config));
  if (trouble.empty()) return 0;
  std::cerr << "metricsd is not healthy: " << trouble << '\n';
  return 1;
}

int serve(auralis::Service& service, const auralis::CommandLine& command_line) {
  if (command_line.healthcheck) return check_health(command_line.config);
  auralis::raise_descriptor_limit(kDescriptors);
  const auralis::SystemClock clock;
  auralis::MetricsDaemon daemon(command_line.config, clock);
  daemon.start();
  if (const std::string key = daemon.zmq_public_key(); !key.empty())
    auralis::log_info("ZeroMQ is encrypted", {{"public_key", key}});
  const std::string url = auralis::http_url(auralis::http_endpoint(command_line.config));
  auralis::log_info(
      "metricsd serves",
      {{"runtime_dir", command_line.config.runtime.dir}, {"http", url}, {"zmq", daemon.zmq_endpoint()}});
  service.ready("serving " + url + "/metrics");
  auralis::StatusReport status(command_line.config, auralis::Daemon::kMetricsd, clock);
  service.run([] {}, [&] { return daemon.fit_for_watchdog(); },
              [&] { daemon.note_reload(auralis::reload_config(command_line).has_value()); },
              [&] { return status.text(); });
  return service.exit_status();
}

}  // namespace

int main(int argc, char** argv) {
  return auralis::daemon_main(auralis::Daemon::kMetricsd, argc, argv, serve);
}
