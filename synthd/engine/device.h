// SPDX-License-Identifier: MIT
// Devices that an engine can run on, and the rule that selects one. Values; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace auralis {

enum class DeviceType { kGpu, kAccelerator, kCpu };
std::string_view device_type_name(DeviceType type);

struct DeviceInfo {
  std::string platform;
  std::string name;
  DeviceType type = DeviceType::kCpu;
};

// Returns the index in `devices` of the device to use. `wanted` is an index, or a substring of the name of a
// device or of its platform, ignoring case; empty: the first GPU, else the first accelerator, else the first
// device, so that the order of the platforms never makes a CPU win over a GPU. Throws EngineError that lists
// the devices, or says what to install.
std::size_t choose_device(const std::vector<DeviceInfo>& devices, std::string_view wanted);

// Number of processors that rendering may use: all but one, which is left to streamd; at least one.
std::size_t render_processors();

// One line of text for operators: index, name, type and platform of the device.
std::string device_line(const std::vector<DeviceInfo>& devices, std::size_t index);

}  // namespace auralis
