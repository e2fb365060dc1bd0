// SPDX-License-Identifier: MIT
// An AMD GPU as the kernel's driver amdgpu shows it in sysfs.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "metricsd/gpu_reading.h"

namespace auralis {

// Whether OpenCL gives such a name to an AMD GPU.
bool is_amd_name(std::string_view device);

// The only GPU that has the driver amdgpu. Nothing if there is none, or more than one: sysfs does not tell
// which one OpenCL calls by which name. `sys` replaces /sys in a test. Any thread.
std::optional<GpuReading> read_amdgpu(const std::filesystem::path& sys = "/sys");

}  // namespace auralis
