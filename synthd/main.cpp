// SPDX-License-Identifier: MIT
// synthd: composes endless music and renders it ahead of time into shared memory.
#include "synthd/synth_daemon.h"

#include <iostream>

#include "common/base/clock.h"
#include "common/daemon/healthcheck.h"
#include "common/daemon/status_report.h"
#include "synthd/engine/opencl_engine.h"

namespace auralis {
namespace {

int run_synthd(Service& service, const CommandLine& command_line) {
  const Config& config = command_line.config;
  if (command_line.healthcheck)
    return healthcheck(config, Daemon::kSynthd, SystemClock().now_ns(), std::cout);
  prepare_opencl_environment(config.daemon_dir(Daemon::kSynthd) / "pocl-cache");
  if (command_line.list_devices) return list_devices(config);
  SynthDaemon daemon(config, service);
  const SystemClock clock;
  StatusReport status(config, Daemon::kSynthd, clock);
  service.run([&daemon] { daemon.housekeeping(); }, [&daemon] { return daemon.healthy(); },
              [&] { daemon.reconfigure(reload_config(command_line)); }, [&status] { return status.text(); });
  return service.exit_status();
}

}  // namespace
}  // namespace auralis

int main(int argc, char** argv) {
  return auralis::daemon_main(auralis::Daemon::kSynthd, argc, argv, auralis::run_synthd);
}
