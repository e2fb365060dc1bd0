// SPDX-License-Identifier: MIT
// With a library that stands in for NVIDIA's: fake_nvml.cpp.
#include "metricsd/nvml.h"

#include <doctest/doctest.h>

namespace auralis::nvml_test {
namespace {

TEST_CASE("where the driver is not installed there is nothing to read") {
  CHECK_FALSE(Nvml::load("libno-such-library.so.1"));
  CHECK_FALSE(Nvml::load("libm.so.6"));  // no library of NVIDIA's
}

TEST_CASE("a GPU is read by the name that OpenCL gives it") {
  const auto nvml = Nvml::load(AURALIS_FAKE_NVML);
  REQUIRE(nvml);
  CHECK(nvml->devices() == 4);
  const GpuReading reading = nvml->read("Fake GPU").value();
  CHECK(reading.utilization_percent == 37);
  CHECK(reading.memory_total_mb == 8192);
  CHECK(reading.temperature_celsius == 61);
  CHECK(reading.power_watts == 123.5);
}

TEST_CASE("of two GPUs with one name neither is read, nor is one that is not there") {
  const auto nvml = Nvml::load(AURALIS_FAKE_NVML);
  REQUIRE(nvml);
  CHECK_FALSE(nvml->read("Twin GPU"));
  CHECK_FALSE(nvml->read("Other GPU"));
  CHECK_FALSE(nvml->read(""));
}

TEST_CASE("what a GPU does not tell is absent") {
  const auto nvml = Nvml::load(AURALIS_FAKE_NVML);
  REQUIRE(nvml);
  const GpuReading reading = nvml->read("Mute GPU").value();
  CHECK(reading.memory_total_mb == 8192);
  CHECK_FALSE(reading.utilization_percent);
  CHECK_FALSE(reading.temperature_celsius);
  CHECK_FALSE(reading.power_watts);
}

}  // namespace
}  // namespace auralis::nvml_test
