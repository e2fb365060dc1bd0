// SPDX-License-Identifier: MIT
#include "synthd/synth_daemon.h"

#include <exception>
#include <iostream>
#include <string>

#include "common/log.h"
#include "synthd/engine/make_engine.h"

namespace auralis {
namespace {

EngineShape shape_of(const Config& config, std::size_t stations) {
  const Timeline timeline = make_timeline(config, 0);
  EngineShape shape;
  shape.sample_rate = timeline.sample_rate;
  shape.chunk_frames = timeline.chunk_frames;
  shape.stations = stations;
  return shape;
}

}  // namespace

SynthDaemon::SynthDaemon(const Config& config, Service& service)
    : stations_{{config.synthd.station, static_cast<std::uint64_t>(config.synthd.seed)}},
      metrics_writer_(config.daemon_dir(Daemon::kSynthd), declared_metrics<SynthMetrics>(stations_),
                      SynthMetrics::kLanes, clock_.now_ns()),
      loop_metrics_(metrics_writer_.lane(SynthMetrics::kLoopLane), stations_),
      own_metrics_(metrics_writer_.lane(SynthMetrics::kHousekeepingLane), stations_),
      engine_(make_engine(config, shape_of(config, stations_.size()))),
      audio_(config.daemon_dir(Daemon::kSynthd), make_timeline(config, clock_.now_ns()), ring_slots(config),
             stations_),
      control_(config.daemon_dir(Daemon::kStreamd)),
      loop_({clock_, *engine_, audio_, control_, metrics_writer_, loop_metrics_}, stations_,
            find_preset(config.synthd.preset)->parameters, config.audio.target_depth_ms * kNsPerMs) {
  log_info("started", {{"runtime_dir", config.runtime.dir},
                       {"station", config.synthd.station},
                       {"seed", config.synthd.seed},
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
  try {
    loop_.run([&service] {
      service.ready("playing");
      log_info("playing: every ring is at its target depth");
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
