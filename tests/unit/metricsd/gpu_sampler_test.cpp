// SPDX-License-Identifier: MIT
#include "metricsd/gpu_sampler.h"

#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/metricsd/fake_sys.h"
#include "tests/unit/support.h"

namespace auralis::gpu_sampler_test {
namespace {

struct Fixture {
  test::FakeSys sys;
  test::ManualClock clock;
  GpuSampler sampler{clock, {AURALIS_FAKE_NVML, sys.folder.path(), std::chrono::milliseconds(1)}};

  // The first reading of `device`; waits for it.
  GpuReading reading_of(const std::string& device) {
    sampler.watch(device);
    for (int i = 0; i < 10'000 && !sampler.latest(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return sampler.latest().value();
  }
};

TEST_CASE_FIXTURE(Fixture, "nothing is read until there is a GPU to watch, and nothing of a former one") {
  sampler.watch("");
  CHECK_FALSE(sampler.latest());
  CHECK(reading_of("Fake GPU").temperature_celsius == 61);
  sampler.watch("");
  CHECK_FALSE(sampler.latest());
}

TEST_CASE_FIXTURE(Fixture, "a GPU that NVIDIA's driver does not have is AMD's if its name says so") {
  sys.add_amdgpu("card0");
  CHECK(reading_of("gfx1030").temperature_celsius == 51);
  CHECK(reading_of("Fake GPU").temperature_celsius == 61);
}

TEST_CASE("a reading that is old is not shown: the driver hangs") {
  const test::FakeSys sys;
  const test::ManualClock clock;
  GpuSampler sampler(clock, {AURALIS_FAKE_NVML, sys.folder.path(), std::chrono::hours(1)});
  sampler.watch("Fake GPU");
  for (int i = 0; i < 10'000 && !sampler.latest(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  REQUIRE(sampler.latest());
  clock.now += GpuSampler::kStaleNs;
  CHECK(sampler.latest());
  clock.now += 1;
  CHECK_FALSE(sampler.latest());
}

}  // namespace
}  // namespace auralis::gpu_sampler_test
