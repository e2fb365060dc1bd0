// SPDX-License-Identifier: MIT
#include "metricsd/nvml.h"

#include <dlfcn.h>

#include <array>
#include <string_view>
#include <utility>

namespace auralis {
namespace {

// Constants, and below the types and functions, of NVML's interface that are used (NVML API reference guide,
// "Device Queries").
constexpr int kTemperatureGpu = 0;
constexpr unsigned kNameBytes = 96;

constexpr double kBytesAMib = 1 << 20;
constexpr double kMilliwattsAWatt = 1'000;

}  // namespace

struct Nvml::Library {
  // WHY in here: GCC 14 does not compile members whose types are of an unnamed namespace, where several
  // sources are one.
  struct Closer {
    void operator()(void* library) const { ::dlclose(library); }
  };
  using Result = int;  // 0: success
  using Device = void*;
  struct Utilization {
    unsigned gpu;  // percent
    unsigned memory;
  };
  struct Memory {
    unsigned long long total;  // bytes
    unsigned long long free;
    unsigned long long used;
  };

  std::unique_ptr<void, Closer> handle;
  Result (*init)();
  Result (*shutdown)();
  Result (*device_count)(unsigned*);
  Result (*device_by_index)(unsigned, Device*);
  Result (*name)(Device, char*, unsigned);
  Result (*utilization)(Device, Utilization*);
  Result (*memory)(Device, Memory*);
  Result (*temperature)(Device, int, unsigned*);
  Result (*power)(Device, unsigned*);

  template <typename Function>
  bool find(Function& function, const char* symbol) const {
    function = reinterpret_cast<Function>(::dlsym(handle.get(), symbol));
    return function != nullptr;
  }
  bool complete() {
    return find(init, "nvmlInit_v2") && find(shutdown, "nvmlShutdown") &&
           find(device_count, "nvmlDeviceGetCount_v2") &&
           find(device_by_index, "nvmlDeviceGetHandleByIndex_v2") && find(name, "nvmlDeviceGetName") &&
           find(utilization, "nvmlDeviceGetUtilizationRates") && find(memory, "nvmlDeviceGetMemoryInfo") &&
           find(temperature, "nvmlDeviceGetTemperature") && find(power, "nvmlDeviceGetPowerUsage");
  }

  // Null if there is none of that name, or more than one.
  Device only(std::string_view wanted) const {
    Device found = nullptr;
    unsigned count = 0;
    if (device_count(&count) != 0) return nullptr;
    for (unsigned index = 0; index < count; ++index) {
      Device device = nullptr;
      std::array<char, kNameBytes> text{};
      if (device_by_index(index, &device) != 0 || name(device, text.data(), kNameBytes - 1) != 0) continue;
      if (wanted != text.data()) continue;
      if (found != nullptr) return nullptr;
      found = device;
    }
    return found;
  }
};

Nvml::Nvml(std::unique_ptr<Library> library) : library_(std::move(library)) {}
Nvml::~Nvml() { library_->shutdown(); }

std::unique_ptr<Nvml> Nvml::load(const std::string& library) {
  auto loaded = std::make_unique<Library>();
  loaded->handle.reset(::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!loaded->handle || !loaded->complete() || loaded->init() != 0) return nullptr;
  return std::unique_ptr<Nvml>(new Nvml(std::move(loaded)));
}

unsigned Nvml::devices() const {
  unsigned count = 0;
  return library_->device_count(&count) == 0 ? count : 0;
}

std::optional<GpuReading> Nvml::read(const std::string& name) const {
  const Library::Device device = library_->only(name);
  if (device == nullptr) return std::nullopt;
  GpuReading reading;
  Library::Utilization utilization{};
  if (library_->utilization(device, &utilization) == 0) reading.utilization_percent = utilization.gpu;
  Library::Memory memory{};
  if (library_->memory(device, &memory) == 0)
    reading.memory_total_mb = static_cast<double>(memory.total) / kBytesAMib;
  unsigned celsius = 0;
  if (library_->temperature(device, kTemperatureGpu, &celsius) == 0) reading.temperature_celsius = celsius;
  unsigned milliwatts = 0;
  if (library_->power(device, &milliwatts) == 0) reading.power_watts = milliwatts / kMilliwattsAWatt;
  return reading;
}

}  // namespace auralis
