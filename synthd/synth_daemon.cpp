// SPDX-License-Identifier: MIT
#include "synthd/synth_daemon.h"

#include <exception>
#include <iostream>
#include <string>

#include "common/base/log.h"
#include "common/daemon/realtime.h"
#include "synthd/engine/make_engine.h"
#include "synthd/ring_shape.h"
#include "synthd/station_capacity.h"

namespace auralis {

namespace {

// The metrics of the housekeeping thread, with this start counted.
SynthMetrics begun(MetricsWriter& writer) {
  set_build_labels(writer);
  SynthMetrics metrics(writer.shard(SynthMetrics::kHousekeepingShard));
  metrics.process.begin();
  return metrics;
}

}  // namespace

SynthDaemon::SynthDaemon(const Config& config, Service& service)
    : metrics_writer_(config.daemon_dir(Daemon::kSynthd), declared_metrics<SynthMetrics>(),
                      SynthMetrics::kShards, clock_.now_ns(), clock_.unix_ns()),
      loop_metrics_(metrics_writer_.shard(SynthMetrics::kLoopShard)),
      own_metrics_(begun(metrics_writer_)),
      capacity_(station_capacity(config, make_timeline(config, 0), ring_slots(config))),
      engine_(make_engine(config, engine_shape(make_timeline(config, 0), capacity_), true)),
      audio_(config.daemon_dir(Daemon::kSynthd), make_timeline(config, clock_.now_ns()), ring_slots(config),
             capacity_),
      control_(config.daemon_dir(Daemon::kStreamd)),
      loop_({clock_, *engine_, audio_, control_, metrics_writer_, loop_metrics_}, config.stations,
            config.audio.target_depth_ms * kNsPerMs) {
  log_info("started", {{"runtime_dir", config.runtime.dir},
                       {"stations", static_cast<std::int64_t>(config.stations.size())},
                       {"capacity", static_cast<std::int64_t>(capacity_)},
                       {"sample_rate", config.audio.sample_rate},
                       {"chunk_ms", config.audio.chunk_ms},
                       {"target_depth_ms", config.audio.target_depth_ms}});
  thread_ = std::thread([this, &service] { run(service); });
}

SynthDaemon::~SynthDaemon() {
  loop_.stop();
  thread_.join();
}

void SynthDaemon::run(Service& service) {
  const bool in_real_time = run_in_real_time();
  log_missing_protection(lock_memory(), in_real_time);
  try {
    loop_.run([&service] {
      service.ready("playing");
      log_info("playing: all rings at target depth");
    });
  } catch (const std::exception& error) {
    log_error(error.what());
    service.stop(1);
  }
}

int list_devices(const Config& config) {
  const EngineList list = list_engines(config);
  std::cout << list.text;
  return list.playable ? 0 : 1;
}

}  // namespace auralis
