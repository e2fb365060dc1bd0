// SPDX-License-Identifier: MIT
#include "synthd/engine/device.h"

#include "synthd/engine/engine.h"

#include <doctest/doctest.h>

namespace auralis::device_test {
namespace {

const std::vector<DeviceInfo> mixed_devices{
    {"Portable Computing Language", "pthread-haswell", DeviceType::kCpu},
    {"Some Vendor", "Radeon 9", DeviceType::kGpu},
    {"NVIDIA CUDA", "NVIDIA H200", DeviceType::kGpu}};

}  // namespace

TEST_CASE("a GPU wins over a CPU that is listed before it") {
  CHECK(choose_device(mixed_devices, "") == 1);
  CHECK(choose_device({mixed_devices[0]}, "") == 0);
  CHECK(choose_device({mixed_devices[0], {"X", "FPGA", DeviceType::kAccelerator}}, "") == 1);
}

TEST_CASE("a device is selected by its index or by a part of its name or platform, ignoring case") {
  CHECK(choose_device(mixed_devices, "0") == 0);
  CHECK(choose_device(mixed_devices, "2") == 2);
  CHECK(choose_device(mixed_devices, "h200") == 2);
  CHECK(choose_device(mixed_devices, "portable") == 0);
  // A number is an index, not a part of a name.
  CHECK_THROWS_AS(choose_device(mixed_devices, "9"), EngineError);
}

TEST_CASE("the error for a missing device lists the devices that exist") {
  CHECK_THROWS_WITH(choose_device(mixed_devices, "voodoo"), doctest::Contains("'voodoo'"));
  CHECK_THROWS_WITH(choose_device(mixed_devices, "voodoo"),
                    doctest::Contains("2: NVIDIA H200 (GPU, NVIDIA CUDA)"));
}

TEST_CASE("the error without any device names what to install") {
  CHECK_THROWS_WITH(choose_device({}, ""), doctest::Contains("pocl-opencl-icd"));
  CHECK_THROWS_WITH(choose_device({}, "gpu"), doctest::Contains("GPU's vendor"));
}

TEST_CASE("a device is described by its index, name, type and platform") {
  CHECK(device_line(mixed_devices, 2) == "2: NVIDIA H200 (GPU, NVIDIA CUDA)");
}

}  // namespace auralis::device_test
