// SPDX-License-Identifier: MIT
// Shared by the opencl_*.cpp files; no other file includes it.
#pragma once

#include <vector>

#include "synthd/engine/device.h"
#include "synthd/engine/engine.h"

#define CL_HPP_ENABLE_EXCEPTIONS
#define CL_HPP_MINIMUM_OPENCL_VERSION 120
#define CL_HPP_TARGET_OPENCL_VERSION 120
#include <CL/opencl.hpp>

namespace auralis {

// Converts an OpenCL error: the message names the call and the error code.
EngineError opencl_error(const cl::Error& error);

// Runs `body`; rethrows cl::Error as EngineError.
template <typename Body>
auto opencl_guarded(const Body& body) {
  try {
    return body();
  } catch (const cl::Error& error) {
    throw opencl_error(error);
  }
}

// Returns the devices of all platforms, in the drivers' order; empty if there are none. Throws cl::Error.
std::vector<cl::Device> all_opencl_devices();

DeviceType opencl_type_of(const cl::Device& device);

}  // namespace auralis
