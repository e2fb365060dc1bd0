// SPDX-License-Identifier: MIT
// On a machine whose only OpenCL device is a processor's, or on any other: what is asserted holds on both.
#include "synthd/engine/make_engine.h"

#include "synthd/engine/device.h"
#include "synthd/engine/native_engine.h"
#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace auralis;
using namespace auralis::test;

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

// The line that is marked.
std::string chosen_line(const std::string& text) {
  const std::size_t mark = text.find("  <- chosen");
  if (mark == std::string::npos) return "";
  const std::size_t begin = text.rfind('\n', mark);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     mark - (begin == std::string::npos ? 0 : begin + 1));
}

}  // namespace

TEST_CASE("without a GPU the native engine is chosen, with one OpenCL") {
  const EngineList list = list_engines(config_of(EngineChoice::kAuto, ""));
  CHECK(list.playable);
  CHECK((chosen_line(list.text).find("native: ") == 0) == !any_gpu());
}

TEST_CASE("a processor's OpenCL is taken where it is asked for, by the engine or by the device") {
  const std::string first = device_line(opencl_devices(), 0);
  CHECK(chosen_line(list_engines(config_of(EngineChoice::kOpenCl, "0")).text) == first);
  CHECK(chosen_line(list_engines(config_of(EngineChoice::kAuto, "0")).text) == first);
}

TEST_CASE("native is taken where it is asked for, and the list shows all the same what else there is") {
  const EngineList list = list_engines(config_of(EngineChoice::kNative, ""));
  CHECK(chosen_line(list.text).find(std::string("native: this processor (") + native_stages().front().name) ==
        0);
  CHECK(list.text.find(device_line(opencl_devices(), 0)) != std::string::npos);
}

TEST_CASE("a device that is not there is no engine, and the list says so") {
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
