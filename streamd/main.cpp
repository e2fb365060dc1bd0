// SPDX-License-Identifier: MIT
#include <iostream>
#include <string>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/daemon/healthcheck.h"
#include "common/daemon/service.h"
#include "common/daemon/status_report.h"
#include "streamd/net/descriptor_limit.h"
#include "streamd/stream_server.h"

namespace {

int serve(auralis::Service& service, const auralis::CommandLine& command_line) {
  const auralis::SystemClock clock;
  if (command_line.healthcheck) {
    return auralis::healthcheck(command_line.config, auralis::Daemon::kStreamd, clock.now_ns(), std::cout);
  }
  auralis::allow_descriptors(command_line.config.streamd.max_listeners);
  auralis::StreamServer server(command_line.config, clock);
  server.start([&](const std::string& why) {
    auralis::log_error("network thread failed: " + why);
    service.stop(1);
  });
  service.ready("serving listeners");
  auralis::StatusReport status(command_line.config, auralis::Daemon::kStreamd, clock);
  service.run([&] { server.run_housekeeping(); }, [&] { return server.healthy(); },
              [&] { server.note_reload(auralis::reload_config(command_line).has_value()); },
              [&] { return status.text(); });
  server.stop();
  return service.exit_status();
}

}  // namespace

int main(int argc, char** argv) { return auralis::daemon_main(auralis::Daemon::kStreamd, argc, argv, serve); }
