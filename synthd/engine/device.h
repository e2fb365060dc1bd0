// SPDX-License-Identifier: MIT
// The devices that an engine may run on, and the rule by which one is chosen. Values; any thread.
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

// Position in `devices` of the one to use. `wanted` is a position, or a part of the name of a device or its
// platform in any case; empty: the first GPU, else the first accelerator, else the first device. So a CPU
// never wins over a GPU by the order of the platforms. Throws EngineError that says what there is, or what to
// install.
std::size_t choose_device(const std::vector<DeviceInfo>& devices, std::string_view wanted);

// Processors that rendering may take: all but one, which is left to the listeners' server; at least one.
std::size_t render_processors();

// A device as people read it: its position, name, type and platform.
std::string device_line(const std::vector<DeviceInfo>& devices, std::size_t index);

}  // namespace auralis
