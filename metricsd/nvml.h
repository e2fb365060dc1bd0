// SPDX-License-Identifier: MIT
// NVIDIA's management library, loaded at run time where its driver is installed. The functions that are used
// are declared in nvml.cpp: the library's header is not free.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "metricsd/gpu_reading.h"

namespace auralis {

// One thread. Calls block while the driver hangs.
class Nvml {
 public:
  // Loads the library of that name and connects to the driver. Null if it is not there or does not answer.
  static std::unique_ptr<Nvml> load(const std::string& library);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  // Number of GPUs; 0 if the driver does not answer.
  unsigned devices() const;

  // The GPU of that name, as OpenCL says it, too. Nothing if there is none, or more than one.
  std::optional<GpuReading> read(const std::string& name) const;

 private:
  struct Library;
  explicit Nvml(std::unique_ptr<Library> library);
  std::unique_ptr<Library> library_;
};

}  // namespace auralis
