// SPDX-License-Identifier: MIT
#include "synthd/synth_daemon.h"

#include <exception>
#include <iostream>
#include <string>

#include "common/log.h"

namespace auralis {
namespace {

std::size_t chosen_device(const std::string& wanted) {
  const auto devices = opencl_devices();
  const std::size_t index = choose_device(devices, wanted);
  log_info("rendering with OpenCL", {{"device", devices[index].name},
                                     {"type", std::string(device_type_name(devices[index].type))},
                                     {"platform", devices[index].platform}});
  return index;
}

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
      engine_(chosen_device(config.synthd.device), shape_of(config, stations_.size())),
      audio_(config.daemon_dir(Daemon::kSynthd), make_timeline(config, clock_.now_ns()), ring_slots(config),
             stations_),
      control_(config.daemon_dir(Daemon::kStreamd)),
      loop_({clock_, engine_, audio_, control_, metrics_writer_, loop_metrics_}, stations_,
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
  const auto devices = opencl_devices();
  std::cout << describe_devices(devices, config.synthd.device);
  try {
    choose_device(devices, config.synthd.device);
  } catch (const EngineError&) {
    return 1;  // the description says why
  }
  return 0;
}

}  // namespace auralis
