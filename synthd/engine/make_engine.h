// SPDX-License-Identifier: MIT
// Selects the engine, by configuration and available devices.
#pragma once

#include <memory>
#include <string>

#include "common/config/config.h"
#include "common/music/timeline.h"
#include "synthd/engine/engine.h"

namespace auralis {

// Makes the engine of synthd.engine: `native`; `opencl`, on the device that synthd.device selects; `auto`:
// OpenCL on the device that synthd.device names or on a GPU, else native. An OpenCL engine fails over to the
// native one. `announced`: log the choice. Throws EngineError if the configured device is not available.
std::unique_ptr<Engine> make_engine(const Config& config, const EngineShape& shape, bool announced);

// Returns the shape for `stations` stations with the sample rate and chunk length of `timeline`.
EngineShape engine_shape(const Timeline& timeline, std::size_t stations);

// Output of --list-devices: one line per device and one for the native engine, with the selected one marked.
// `playable` is false if the configuration selects none.
struct EngineList {
  std::string text;
  bool playable;
};
EngineList list_engines(const Config& config);

}  // namespace auralis
