// SPDX-License-Identifier: MIT
// Checks across keys.
#include "common/config/config_loader.h"

#include "common/config/config_table.h"

namespace auralis {

void ConfigLoader::check_together() const {
  const auto& audio = config_.audio;
  const std::int64_t least_ring_ms = audio.target_depth_ms + 2 * audio.chunk_ms;
  if (audio.ring_ms % audio.chunk_ms != 0) {
    refuse("audio", "ring_ms", "must be a multiple of chunk_ms, which is " + std::to_string(audio.chunk_ms));
  }
  if (audio.ring_ms < least_ring_ms) {
    refuse("audio", "ring_ms",
           "must be at least target_depth_ms + 2 * chunk_ms, which is " + std::to_string(least_ring_ms));
  }
  if (config_.synthd.engine == EngineChoice::kNative && !config_.synthd.device.empty()) {
    refuse("synthd", "device", "must be empty with engine native, which uses no OpenCL device");
  }
  if (config_.streamd.prefill_ms > audio.past_ms() && given("streamd", "prefill_ms")) {
    refuse("streamd", "prefill_ms",
           "must be at most [audio] ring_ms - target_depth_ms - chunk_ms, which is " +
               std::to_string(audio.past_ms()));
  }
  check_access();
  check_stations();
}

void ConfigLoader::check_access() const {
  const auto& streamd = config_.streamd;
  check_tls("streamd", streamd.tls_certificate, streamd.tls_key);
  check_tls("metricsd", config_.metricsd.tls_certificate, config_.metricsd.tls_key);
  if (config_.metricsd.zmq_key_file.empty() && !config_.metricsd.zmq_client_keys_file.empty()) {
    refuse("metricsd", "zmq_key_file", "must be given, since zmq_client_keys_file is");
  }
  if (streamd.control_by == ControlBy::kOperators && streamd.token_file.empty()) {
    refuse("streamd", "token_file", "must be given, since control_by is operators, who show its token");
  }
}

void ConfigLoader::check_tls(std::string_view section, const std::string& certificate,
                             const std::string& key) const {
  if (certificate.empty() == key.empty()) return;
  const char* const missing = key.empty() ? "tls_key" : "tls_certificate";
  const char* const given = key.empty() ? "tls_certificate" : "tls_key";
  refuse(section, missing, std::string("must be given, since ") + given + " is");
}

void ConfigLoader::check_stations() const {
  const auto count = static_cast<std::int64_t>(config_.stations.size());
  if (count == 0) return;
  for (const auto& [key, in_station] : kOnlyStationKeys) {
    if (places_[config_key_index("synthd", key)].empty()) continue;
    refuse("synthd", key,
           "must not be set where there is a [[station]], as there is at " + station_place_ +
               "; remove it, and set " + std::string(in_station) + " there");
  }
  const std::int64_t most = config_.synthd.max_stations;
  if (most != 0 && most < count) {
    refuse("synthd", "max_stations",
           "must be 0, or at least the number of [[station]], which is " + std::to_string(count));
  }
}

// Whether a source gave the key; else it has its default value.
bool ConfigLoader::given(std::string_view section, std::string_view name) const {
  return !places_[config_key_index(section, name)].empty();
}

void ConfigLoader::refuse(std::string_view section, std::string_view name, const std::string& why) const {
  const std::size_t index = config_key_index(section, name);
  const std::string fallback = "[" + std::string(section) + "] " + std::string(name) + " = " +
                               to_toml(config_keys()[index].get(config_)) + " (the default)";
  throw ConfigError((places_[index].empty() ? fallback : places_[index]) + ": " + why);
}

}  // namespace auralis
