// SPDX-License-Identifier: MIT
// Which engine plays: by configuration, and by what there is.
#pragma once

#include <memory>
#include <string>

#include "common/config/config.h"
#include "common/music/timeline.h"
#include "synthd/engine/engine.h"

namespace auralis {

// synthd.engine: `native`; `opencl`, on the device that synthd.device chooses; `auto`: OpenCL on a GPU or on
// the device that is named, else native. An OpenCL engine is backed by the native one. `announced`: the log
// says what was chosen. Throws EngineError where the wanted device is not there.
std::unique_ptr<Engine> make_engine(const Config& config, const EngineShape& shape, bool announced);

// What stations of that rate and length of a chunk need.
EngineShape engine_shape(const Timeline& timeline, std::size_t stations);

// For --list-devices: a line for each device and one for the native engine, the one that plays marked; and
// whether there is one to play.
struct EngineList {
  std::string text;
  bool playable;
};
EngineList list_engines(const Config& config);

}  // namespace auralis
