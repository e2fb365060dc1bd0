// SPDX-License-Identifier: MIT
#include "synthd/engine/make_engine.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/log.h"
#include "synthd/engine/device.h"
#include "synthd/engine/failover_engine.h"
#include "synthd/engine/native_engine.h"
#include "synthd/engine/opencl_engine.h"

namespace auralis {
namespace {

// Index of the OpenCL device to render on; nullopt: use the native engine.
std::optional<std::size_t> wanted_device(const Config& config, const std::vector<DeviceInfo>& devices) {
  if (config.synthd.engine == EngineChoice::kNative) return std::nullopt;
  const bool any_gpu = std::any_of(devices.begin(), devices.end(),
                                   [](const DeviceInfo& device) { return device.type == DeviceType::kGpu; });
  if (config.synthd.engine == EngineChoice::kAuto && config.synthd.device.empty() && !any_gpu)
    return std::nullopt;
  return choose_device(devices, config.synthd.device);
}

std::vector<DeviceInfo> devices_for(const Config& config) {
  if (config.synthd.engine == EngineChoice::kNative) return {};
  try {
    return opencl_devices();
  } catch (const EngineError& error) {
    if (config.synthd.engine == EngineChoice::kOpenCl || !config.synthd.device.empty()) throw;
    log_warning("OpenCL cannot be used", {{"error", std::string(error.what())}});
    return {};
  }
}

std::unique_ptr<Engine> native_engine(const EngineShape& shape) {
  return std::make_unique<NativeEngine>(shape, render_processors());
}

}  // namespace

std::unique_ptr<Engine> make_engine(const Config& config, const EngineShape& shape, bool announced) {
  const auto devices = devices_for(config);
  const auto device = wanted_device(config, devices);
  if (!device) {
    if (announced) {
      log_info("rendering with the native engine",
               {{"instructions", std::string(native_stages().front().name)}});
    }
    return native_engine(shape);
  }
  const DeviceInfo& info = devices[*device];
  if (announced) {
    log_info("rendering with OpenCL", {{"device", info.name},
                                       {"type", std::string(device_type_name(info.type))},
                                       {"platform", info.platform}});
  }
  try {
    return std::make_unique<FailoverEngine>(std::make_unique<OpenClEngine>(*device, shape),
                                            native_engine(shape));
  } catch (const EngineError& error) {
    if (config.synthd.engine == EngineChoice::kOpenCl || !config.synthd.device.empty()) throw;
    log_warning("the device cannot be used; rendering with the native engine",
                {{"error", std::string(error.what())}});
    return native_engine(shape);
  }
}

EngineShape engine_shape(const Timeline& timeline, std::size_t stations) {
  EngineShape shape;
  shape.sample_rate = timeline.sample_rate;
  shape.chunk_frames = timeline.chunk_frames;
  shape.stations = stations;
  return shape;
}

EngineList list_engines(const Config& config) {
  Config opencl = config;  // list OpenCL devices even if the native engine is configured
  if (opencl.synthd.engine == EngineChoice::kNative) opencl.synthd.engine = EngineChoice::kAuto;
  const auto devices = devices_for(opencl);
  EngineList list{"", true};
  std::optional<std::size_t> chosen;
  try {
    chosen = wanted_device(config, devices);
  } catch (const EngineError& error) {
    list = {std::string(error.what()) + '\n', false};
  }
  std::string lines;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    lines += device_line(devices, i) + (chosen == i ? "  <- chosen\n" : "\n");
  }
  lines += "native: this processor (" + std::string(native_stages().front().name) + " instructions)";
  lines += list.playable && !chosen ? "  <- chosen\n" : "\n";
  list.text = lines + list.text;
  return list;
}

}  // namespace auralis
