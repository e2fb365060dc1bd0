// SPDX-License-Identifier: MIT
#include "metricsd/amdgpu.h"

#include <doctest/doctest.h>

#include "tests/unit/metricsd/fake_sys.h"

namespace auralis::amdgpu_test {
namespace {

TEST_CASE("names of AMD's GPUs are known, however OpenCL's platform writes them") {
  CHECK(is_amd_name("gfx1030"));
  CHECK(is_amd_name("AMD Radeon RX 6800 (radeonsi, navi21)"));
  CHECK_FALSE(is_amd_name("NVIDIA H200"));
  CHECK_FALSE(is_amd_name("Intel(R) UHD Graphics"));
}

TEST_CASE("the only GPU is read") {
  const test::FakeSys sys;
  sys.write("card0/device/vendor", "0x8086");  // another driver's
  sys.add_amdgpu("card1");
  const GpuReading reading = read_amdgpu(sys.folder.path()).value();
  CHECK(reading.utilization_percent == 42);
  CHECK(reading.memory_total_mb == 16'368);
  CHECK(reading.temperature_celsius == 51);
  CHECK(reading.power_watts == 87);
}

TEST_CASE("what the driver does not tell is absent; a newer one tells the power under another name") {
  const test::FakeSys sys;
  sys.write("card0/device/gpu_busy_percent", "0");
  GpuReading reading = read_amdgpu(sys.folder.path()).value();
  CHECK(reading.utilization_percent == 0);
  CHECK_FALSE(reading.memory_total_mb);
  CHECK_FALSE(reading.temperature_celsius);
  CHECK_FALSE(reading.power_watts);
  sys.write("card0/device/hwmon/hwmon0/power1_input", "9500000");
  CHECK(read_amdgpu(sys.folder.path())->power_watts == 9.5);
}

TEST_CASE("without such a GPU, or with two, nothing is read") {
  const test::FakeSys sys;
  CHECK_FALSE(read_amdgpu(sys.folder.path()));
  CHECK_FALSE(read_amdgpu(sys.folder.path() / "nowhere"));
  sys.add_amdgpu("card0");
  CHECK(read_amdgpu(sys.folder.path()));
  sys.add_amdgpu("card1");
  CHECK_FALSE(read_amdgpu(sys.folder.path()));
}

}  // namespace
}  // namespace auralis::amdgpu_test
