// SPDX-License-Identifier: MIT
// All assertions hold on a machine whose only OpenCL device is the CPU, and on any other.
#include "synthd/engine/make_engine.h"

#include "synthd/engine/device.h"
#include "synthd/engine/native_engine.h"
#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace auralis::make_engine_test {

using namespace test;

namespace {

Config config_of(EngineChoice engine, const std::string& device) {
  prepare_opencl();
  Config config;
  config.synthd.engine = engine;
  config.synthd.device = device;
  return config;
}

bool any_gpu() {
  const auto devices = opencl_devices();
  return std::any_of(devices.begin(), devices.end(),
                     [](const auto& d) { return d.type == DeviceType::kGpu; });
}

// Returns the line that is marked as chosen.
std::string chosen_line(const std::string& text) {
  const std::size_t mark = text.find("  <- chosen");
  if (mark == std::string::npos) return "";
  const std::size_t begin = text.rfind('\n', mark);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     mark - (begin == std::string::npos ? 0 : begin + 1));
}

}  // namespace

TEST_CASE("without a GPU the native engine is selected, with a GPU OpenCL") {
  const EngineList list = list_engines(config_of(EngineChoice::kAuto, ""));
  CHECK(list.playable);
  CHECK((chosen_line(list.text).find("native: ") == 0) == !any_gpu());
}

TEST_CASE("OpenCL on the CPU is used if the configuration names the engine or the device") {
  const std::string first = device_line(opencl_devices(), 0);
  CHECK(chosen_line(list_engines(config_of(EngineChoice::kOpenCl, "0")).text) == first);
  CHECK(chosen_line(list_engines(config_of(EngineChoice::kAuto, "0")).text) == first);
}

TEST_CASE("the native engine is used if configured, and the list still shows all devices") {
  const EngineList list = list_engines(config_of(EngineChoice::kNative, ""));
  CHECK(chosen_line(list.text).find(std::string("native: this processor (") + native_stages().front().name) ==
        0);
  CHECK(list.text.find(device_line(opencl_devices(), 0)) != std::string::npos);
}

TEST_CASE("a missing device is an error, and the list says so") {
  const EngineList list = list_engines(config_of(EngineChoice::kOpenCl, "voodoo"));
  CHECK_FALSE(list.playable);
  CHECK(chosen_line(list.text).empty());
  CHECK(list.text.find("no OpenCL device matches 'voodoo'") != std::string::npos);
  CHECK_THROWS_AS(make_engine(config_of(EngineChoice::kOpenCl, "voodoo"), {}, false), EngineError);
}

TEST_CASE("each engine that can be configured renders") {
  for (const EngineChoice engine : {EngineChoice::kAuto, EngineChoice::kOpenCl, EngineChoice::kNative}) {
    CAPTURE(static_cast<int>(engine));
    const auto made = make_engine(config_of(engine, ""), {}, false);
    const StationChunk silence;
    CHECK(made->render(&silence, 1).device_busy_ns > 0);
    CHECK(made->next_frame(0) == 4'410);
    CHECK(made->device_bytes() > 0);
  }
}

}  // namespace auralis::make_engine_test
