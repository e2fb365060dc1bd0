// SPDX-License-Identifier: MIT
// What the files that speak OpenCL share; no other file includes it.
#pragma once

#include <vector>

#include "synthd/engine/device.h"
#include "synthd/engine/engine.h"

#define CL_HPP_ENABLE_EXCEPTIONS
#define CL_HPP_MINIMUM_OPENCL_VERSION 120
#define CL_HPP_TARGET_OPENCL_VERSION 120
#include <CL/opencl.hpp>

namespace auralis {

// Which call failed, and how.
EngineError opencl_error(const cl::Error& error);

// Runs `body`, turning what OpenCL throws into EngineError.
template <typename Body>
auto opencl_guarded(const Body& body) {
  try {
    return body();
  } catch (const cl::Error& error) {
    throw opencl_error(error);
  }
}

// Of all platforms, in the order of the drivers; empty where there is none. Throws cl::Error.
std::vector<cl::Device> all_opencl_devices();

DeviceType opencl_type_of(const cl::Device& device);

}  // namespace auralis
