// SPDX-License-Identifier: MIT
// One configuration for all three daemons. Each key stands once, in the tables of config_keys*.cpp, and is
// from there a key of auralis.toml, an environment variable and a flag; those of [[station]] are of the file
// alone. Flags go over the environment, that over the file, that over the defaults. Whatever its source,
// every value passes the same check, and a value that is refused ends the start. An empty variable is one not
// given; variables as Kubernetes and Docker set them for a service named auralis... are passed over.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/music/music_parameters.h"

namespace auralis {

// Read where no --config is given, if it is there.
inline constexpr std::string_view kDefaultConfigFile = "/etc/auralis/auralis.toml";

enum class Daemon { kSynthd, kStreamd, kMetricsd };
std::string_view daemon_name(Daemon daemon);

// More are refused: each costs a ring and its share of the device for as long as synthd runs, whether or not
// anybody listens. A file that needs more was written by a program, and by mistake.
inline constexpr std::size_t kMaxConfiguredStations = 32;

// Of a station that names none.
inline constexpr Preset kDefaultPreset = kPresets.front();

// A station that plays from synthd's start on.
struct StationConfig {
  std::string name;        // 1 to 31 of a-z, 0-9, _ and -; unlike that of any other station
  std::uint64_t seed = 1;  // that the music is derived from
  // For a new station; a restart keeps what is in force.
  MusicParameters parameters = kDefaultPreset.parameters;
  bool open = false;  // whether any listener may change its controls
};
bool operator==(const StationConfig& a, const StationConfig& b);
inline bool operator!=(const StationConfig& a, const StationConfig& b) { return !(a == b); }

// What renders (synthd.engine).
enum class EngineChoice { kAuto, kOpenCl, kNative };
inline constexpr std::array<std::string_view, 3> kEngineChoices{"auto", "opencl", "native"};

// Who may change the music of open stations (streamd.control_by).
enum class ControlBy { kListeners, kOperators };
inline constexpr std::array<std::string_view, 2> kControlByChoices{"listeners", "operators"};

struct Config {
  struct {
    std::string dir;  // resolved: never empty after load_config
  } runtime;
  struct {
    std::int64_t sample_rate = 44'100;
    std::int64_t chunk_ms = 100;
    std::int64_t ring_ms = 2'000;
    std::int64_t target_depth_ms = 750;
  } audio;
  struct {
    EngineChoice engine = EngineChoice::kAuto;
    std::string device;  // of OpenCL: index or part of a name; empty: the first GPU, else the first
    std::string station = "default";
    std::int64_t seed = 1;
    std::string preset{kDefaultPreset.name};
    std::int64_t max_stations = 0;  // 0: as many as the machine has room for
  } synthd;
  struct {
    std::string host = "0.0.0.0";
    std::int64_t port = 8'000;
    std::string tls_certificate;  // a path; as tls_key, or both empty: no TLS
    std::string tls_key;
    std::int64_t threads = 0;  // 0: one less than there are cores, 1 to 8
    std::int64_t drain_ms = 5'000;
    std::int64_t prefill_ms = 300;
    std::int64_t max_backlog_ms = 2'000;
    std::int64_t max_backlog_kb = 1'024;
    std::int64_t opus_kbps = 96;
    std::int64_t encoding_threads = 0;  // 0: one less than there are cores, 1 to 4
    std::int64_t max_listeners = 5'000;
    std::int64_t max_listeners_per_address = 20;
    std::int64_t max_opus_stations = 0;  // personal ones; 0: as many as the machine can encode
    std::int64_t max_personal_stations_per_address = 4;
    std::string trusted_proxies;  // parse_ip_networks takes it
    std::int64_t handshakes_per_second = 1'000;
    std::int64_t handshakes_per_second_per_address = 50;
    std::int64_t tls_handshakes_per_second = 200;
    std::int64_t handshake_timeout_ms = 5'000;
    std::int64_t idle_timeout_s = 60;
    std::int64_t max_header_bytes = 8'192;
    std::int64_t max_message_bytes = 4'096;
    std::int64_t messages_per_second = 10;
    std::int64_t changes_per_second = 1;
    std::string allowed_origins;  // parse_allowed_origins takes it
    std::string ticket_key_file;  // empty: no ticket is needed
    std::string token_file;       // empty: operators' calls are refused
    ControlBy control_by = ControlBy::kListeners;
  } streamd;
  struct {
    std::string host = "0.0.0.0";
    std::int64_t port = 9'464;
    std::string zmq_endpoint = "tcp://127.0.0.1:5556";
  } metricsd;
  struct {
    std::string level = "info";
    std::string format = "auto";
  } log;
  // Each [[station]] of the file, in its order; where there is none, the one that synthd.station, seed and
  // preset describe, open to all. Never empty after load_config.
  std::vector<StationConfig> stations;

  // The folder of that daemon's segments: dir / "synthd".
  std::filesystem::path daemon_dir(Daemon daemon) const;
};

// Refused configuration, in one line: where it stands, what stands there, and what is allowed.
struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace auralis
