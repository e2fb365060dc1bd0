// SPDX-License-Identifier: MIT
// A folder that stands in for /sys, with GPUs of the driver amdgpu.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/unit/support.h"

namespace auralis::test {

class FakeSys {
 public:
  void write(const std::string& file, const std::string& text) const {
    const auto path = folder.path() / "class/drm" / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << '\n';
  }
  void add_amdgpu(const std::string& card) const {
    write(card + "/device/gpu_busy_percent", "42");
    write(card + "/device/mem_info_vram_total", "17163091968");
    write(card + "/device/hwmon/hwmon3/temp1_input", "51000");
    write(card + "/device/hwmon/hwmon3/power1_average", "87000000");
    write(card + "-DP-1/status", "connected");
  }

  TempDir folder;
};

}  // namespace auralis::test
