// SPDX-License-Identifier: MIT
// What the tests of synthd share: an engine, beside the folder and the clock of all tests.
#pragma once

#include <filesystem>

#include "synthd/engine/opencl_engine.h"
#include "tests/unit/support.h"

namespace auralis::test {

// The engine on the device that synthd itself would choose: PoCL, where nothing else is.
inline OpenClEngine opencl_engine(const EngineShape& shape) {
  prepare_opencl_environment(std::filesystem::temp_directory_path() / "auralis-pocl-cache");
  return OpenClEngine(choose_device(opencl_devices(), ""), shape);
}

}  // namespace auralis::test
