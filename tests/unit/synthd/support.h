// SPDX-License-Identifier: MIT
// What the tests of synthd share: a clock that they move, a folder that goes with them, engines.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/clock.h"
#include "synthd/engine/opencl_engine.h"

namespace auralis::synthd_test {

class ManualClock final : public Clock {
 public:
  std::int64_t now_ns() const override { return now; }
  std::int64_t unix_ns() const override { return now; }

  std::int64_t now = 1'000 * kNsPerSecond;
};

// An empty folder of its own under the system's one for such.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "auralis-synthd-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder: " + name);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The engine on the device that synthd itself would choose: PoCL, where nothing else is.
inline OpenClEngine opencl_engine(const EngineShape& shape) {
  prepare_opencl_environment(std::filesystem::temp_directory_path() / "auralis-pocl-cache");
  return OpenClEngine(choose_device(opencl_devices(), ""), shape);
}

}  // namespace auralis::synthd_test
