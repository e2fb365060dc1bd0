// SPDX-License-Identifier: MIT
#include "synthd/engine/device.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <system_error>
#include <thread>

#include "synthd/engine/engine_error.h"

namespace auralis {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::optional<std::size_t> as_index(std::string_view text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return index;
}

}  // namespace

std::size_t render_processors() { return std::max(2U, std::thread::hardware_concurrency()) - 1; }

std::string device_line(const std::vector<DeviceInfo>& devices, std::size_t index) {
  const DeviceInfo& device = devices[index];
  return std::to_string(index) + ": " + device.name + " (" + std::string(device_type_name(device.type)) +
         ", " + device.platform + ")";
}

std::string_view device_type_name(DeviceType type) {
  switch (type) {
    case DeviceType::kGpu:
      return "GPU";
    case DeviceType::kAccelerator:
      return "accelerator";
    case DeviceType::kCpu:
      break;
  }
  return "CPU";
}

std::size_t choose_device(const std::vector<DeviceInfo>& devices, std::string_view wanted) {
  if (devices.empty()) {
    throw EngineError(
        "no OpenCL device found: install the OpenCL driver (ICD) of the GPU's vendor, or the package "
        "pocl-opencl-icd for OpenCL on the processor; or render without OpenCL: synthd.engine = \"native\"");
  }
  if (wanted.empty()) {
    // DeviceType is in order of preference; min_element returns the first of equal devices.
    const auto best = std::min_element(devices.begin(), devices.end(),
                                       [](const auto& a, const auto& b) { return a.type < b.type; });
    return static_cast<std::size_t>(best - devices.begin());
  }
  const auto index = as_index(wanted);
  if (index && *index < devices.size()) return *index;
  const std::string part = lower(wanted);
  const auto match = std::find_if(devices.begin(), devices.end(), [&](const DeviceInfo& device) {
    return !index && lower(device.name + '\n' + device.platform).find(part) != std::string::npos;
  });
  if (match != devices.end()) return static_cast<std::size_t>(match - devices.begin());

  std::string message = "no OpenCL device matches '" + std::string(wanted) + "'; there is";
  for (std::size_t i = 0; i < devices.size(); ++i) message += (i == 0 ? " " : "; ") + device_line(devices, i);
  throw EngineError(message);
}

}  // namespace auralis
