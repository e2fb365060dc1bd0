// SPDX-License-Identifier: MIT
#include "metricsd/amdgpu.h"

#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace auralis {
namespace {

constexpr double kBytesAMib = 1 << 20;
constexpr double kMillidegreesADegree = 1'000;
constexpr double kMicrowattsAWatt = 1'000'000;

std::vector<std::filesystem::path> entries(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> found;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    found.push_back(entry->path());
  return found;
}

std::optional<double> number(const std::filesystem::path& file, double unit = 1) {
  std::ifstream text(file);
  double value = 0;
  if (!(text >> value)) return std::nullopt;
  return value / unit;
}

}  // namespace

bool is_amd_name(std::string_view device) {
  const auto has = [&](std::string_view part) { return device.find(part) != std::string_view::npos; };
  return device.substr(0, 3) == "gfx" || has("AMD") || has("Radeon");
}

std::optional<GpuReading> read_amdgpu(const std::filesystem::path& sys) {
  std::optional<std::filesystem::path> device;
  // Beside card0 there are its connectors, such as card0-DP-1.
  for (const auto& card : entries(sys / "class/drm")) {
    const std::string name = card.filename();
    if (name.compare(0, 4, "card") != 0 || name.find('-') != std::string::npos) continue;
    if (!number(card / "device/gpu_busy_percent")) continue;
    if (device) return std::nullopt;
    device = card / "device";
  }
  if (!device) return std::nullopt;
  GpuReading reading;
  reading.utilization_percent = number(*device / "gpu_busy_percent");
  reading.memory_total_mb = number(*device / "mem_info_vram_total", kBytesAMib);
  for (const auto& sensor : entries(*device / "hwmon")) {
    reading.temperature_celsius = number(sensor / "temp1_input", kMillidegreesADegree);
    reading.power_watts = number(sensor / "power1_average", kMicrowattsAWatt);
    // Newer cards tell the present power alone.
    if (!reading.power_watts) reading.power_watts = number(sensor / "power1_input", kMicrowattsAWatt);
  }
  return reading;
}

}  // namespace auralis
