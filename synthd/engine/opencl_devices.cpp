// SPDX-License-Identifier: MIT
// Enumerates OpenCL devices and prepares the environment variables of their drivers.
#include "synthd/engine/opencl_engine.h"
#include "synthd/engine/opencl_support.h"

#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>

namespace auralis {
namespace {

constexpr cl_int kNoPlatform = -1001;  // CL_PLATFORM_NOT_FOUND_KHR of cl_khr_icd: no driver is installed

std::string_view error_name(cl_int code) {
  switch (code) {
#define AURALIS_NAME(name) \
  case name:               \
    return #name;
    AURALIS_NAME(CL_DEVICE_NOT_FOUND)
    AURALIS_NAME(CL_DEVICE_NOT_AVAILABLE)
    AURALIS_NAME(CL_COMPILER_NOT_AVAILABLE)
    AURALIS_NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE)
    AURALIS_NAME(CL_OUT_OF_RESOURCES)
    AURALIS_NAME(CL_OUT_OF_HOST_MEMORY)
    AURALIS_NAME(CL_BUILD_PROGRAM_FAILURE)
    AURALIS_NAME(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)
    AURALIS_NAME(CL_INVALID_VALUE)
    AURALIS_NAME(CL_INVALID_DEVICE)
    AURALIS_NAME(CL_INVALID_PLATFORM)
    AURALIS_NAME(CL_INVALID_BUFFER_SIZE)
    AURALIS_NAME(CL_INVALID_KERNEL_ARGS)
    AURALIS_NAME(CL_INVALID_WORK_GROUP_SIZE)
    AURALIS_NAME(CL_INVALID_COMMAND_QUEUE)
#undef AURALIS_NAME
    default:
      return "OpenCL error";
  }
}

bool usable_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  return !error && ::access(path.c_str(), W_OK | X_OK) == 0;
}

std::filesystem::path cache_folder(const std::filesystem::path& fallback) {
  std::vector<std::filesystem::path> candidates;
  if (const char* service = std::getenv("CACHE_DIRECTORY")) {
    const std::string_view list(service);
    candidates.emplace_back(list.substr(0, list.find(':')));  // first entry of systemd's list
  }
  if (const char* user = std::getenv("XDG_CACHE_HOME")) {
    candidates.push_back(std::filesystem::path(user) / "auralis");
  } else if (const char* home = std::getenv("HOME")) {
    candidates.push_back(std::filesystem::path(home) / ".cache" / "auralis");
  }
  const auto found = std::find_if(candidates.begin(), candidates.end(), usable_folder);
  if (found != candidates.end()) return *found;
  usable_folder(fallback);
  return fallback;
}

}  // namespace

EngineError opencl_error(const cl::Error& error) {
  return EngineError(std::string(error.what()) + " failed: " + std::string(error_name(error.err())) + " (" +
                     std::to_string(error.err()) + ")");
}

std::vector<cl::Device> all_opencl_devices() {
  std::vector<cl::Platform> platforms;
  try {
    cl::Platform::get(&platforms);
  } catch (const cl::Error& error) {
    if (error.err() != kNoPlatform) throw;
  }
  std::vector<cl::Device> devices;
  for (const auto& platform : platforms) {
    std::vector<cl::Device> found;
    try {
      platform.getDevices(CL_DEVICE_TYPE_ALL, &found);
    } catch (const cl::Error& error) {
      if (error.err() != CL_DEVICE_NOT_FOUND) throw;
    }
    devices.insert(devices.end(), found.begin(), found.end());
  }
  return devices;
}

DeviceType opencl_type_of(const cl::Device& device) {
  const auto type = device.getInfo<CL_DEVICE_TYPE>();
  if ((type & CL_DEVICE_TYPE_GPU) != 0) return DeviceType::kGpu;
  return (type & CL_DEVICE_TYPE_CPU) != 0 ? DeviceType::kCpu : DeviceType::kAccelerator;
}

void prepare_opencl_environment(const std::filesystem::path& fallback) {
  const auto set_default = [](const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 0);
  };
  if (std::getenv("POCL_CACHE_DIR") == nullptr) set_default("POCL_CACHE_DIR", cache_folder(fallback));
  const std::string processors = std::to_string(render_processors());
  set_default("POCL_MAX_PTHREAD_COUNT", processors);  // PoCL 3
  set_default("POCL_CPU_MAX_CU_COUNT", processors);   // PoCL 4 and newer
  set_default("POCL_WORK_GROUP_SPECIALIZATION", "0");
}

std::vector<DeviceInfo> opencl_devices() {
  return opencl_guarded([] {
    std::vector<DeviceInfo> infos;
    for (const auto& device : all_opencl_devices()) {
      const cl::Platform platform(device.getInfo<CL_DEVICE_PLATFORM>());
      infos.push_back(
          {platform.getInfo<CL_PLATFORM_NAME>(), device.getInfo<CL_DEVICE_NAME>(), opencl_type_of(device)});
    }
    return infos;
  });
}

}  // namespace auralis
