// SPDX-License-Identifier: MIT
// All keys except those of [streamd] (config_keys_streamd.cpp).
#include "common/config/config_keys.h"

#include "common/config/config_rules.h"

#include <limits>

namespace auralis {

std::vector<ConfigKey> runtime_keys() {
  return {
      {"runtime", "dir", [](Config& c) -> std::string& { return c.runtime.dir; }, path_or_empty(),
       "Folder of the shared memory, on a tmpfs; the same for all three daemons. Empty: /run/auralis as a "
       "system service, else /dev/shm/auralis-<uid>"},
  };
}

std::vector<ConfigKey> audio_keys() {
  return {
      {"audio", "sample_rate", [](Config& c) -> std::int64_t& { return c.audio.sample_rate; },
       one_of({std::int64_t{44'100}, std::int64_t{48'000}}), "Sample rate, in hertz"},
      // Steps of 10 ms are whole frames at either rate.
      {"audio", "chunk_ms", [](Config& c) -> std::int64_t& { return c.audio.chunk_ms; },
       multiple_of(10, 20, 200), "Duration of a chunk, in milliseconds"},
      {"audio", "ring_ms", [](Config& c) -> std::int64_t& { return c.audio.ring_ms; },
       integer_from(1'000, 10'000),
       "Capacity of the ring, past and future audio, in milliseconds; a multiple of chunk_ms, and at least "
       "target_depth_ms + 2 * chunk_ms"},
      {"audio", "target_depth_ms", [](Config& c) -> std::int64_t& { return c.audio.target_depth_ms; },
       integer_from(500, 1'000), "How far ahead of now synthd keeps the ring filled, in milliseconds"},
  };
}

std::vector<ConfigKey> synthd_keys() {
  return {
      {"synthd", "engine",
       ConfigKey::ChoiceField{[](const Config& c) { return choice_name(kEngineChoices, c.synthd.engine); },
                              [](Config& c, std::string_view name) {
                                c.synthd.engine = choice_named<EngineChoice>(kEngineChoices, name);
                              }},
       one_of_names(kEngineChoices),
       "Engine that renders. auto: OpenCL where device names one or there is a GPU, else native; native: "
       "this processor, without OpenCL"},
      {"synthd", "device", [](Config& c) -> std::string& { return c.synthd.device; }, any_text(),
       "OpenCL device: its index in --list-devices, or part of its name. Empty: the first GPU; "
       "with engine opencl and no GPU, the first device"},
      {"synthd", "station", [](Config& c) -> std::string& { return c.synthd.station; }, station_name(),
       "Name of the station that plays if no [[station]] is configured; seed and preset apply to it, too"},
      {"synthd", "seed", [](Config& c) -> std::int64_t& { return c.synthd.seed; },
       integer_from(0, std::numeric_limits<std::int64_t>::max()), kSeedHelp},
      {"synthd", "preset", [](Config& c) -> std::string& { return c.synthd.preset; }, preset_name(),
       "Initial music controls of a new station; a restarted one keeps those in force"},
      {"synthd", "max_stations", [](Config& c) -> std::int64_t& { return c.synthd.max_stations; },
       integer_from(0, 4'096),
       "Maximum number of stations, configured and personal. 0: limited by half of what the device renders "
       "in real time, by 256 MB of rings, and by a quarter of the free space of the runtime folder"},
  };
}

std::vector<ConfigKey> metricsd_keys() {
  return {
      {"metricsd", "host", [](Config& c) -> std::string& { return c.metricsd.host; }, host(),
       "Address to serve the metrics and the dashboard on; 0.0.0.0 or :: for all"},
      {"metricsd", "port", [](Config& c) -> std::int64_t& { return c.metricsd.port; },
       integer_from(1, 65'535), "TCP port of the metrics and the dashboard"},
      {"metricsd", "tls_certificate", [](Config& c) -> std::string& { return c.metricsd.tls_certificate; },
       path_or_empty(),
       "File of the certificate chain, in PEM; with tls_key, the port serves https only. Empty: http"},
      {"metricsd", "tls_key", [](Config& c) -> std::string& { return c.metricsd.tls_key; }, path_or_empty(),
       "File of the certificate's private key, in PEM; required with tls_certificate"},
      {"metricsd", "password_file", [](Config& c) -> std::string& { return c.metricsd.password_file; },
       path_or_empty(),
       "File of the password that user auralis must give (basic authentication), except at /healthz. Empty: "
       "everyone may read the metrics"},
      {"metricsd", "zmq_endpoint", [](Config& c) -> std::string& { return c.metricsd.zmq_endpoint; },
       endpoint(), "ZeroMQ endpoint to publish snapshots and events on"},
      {"metricsd", "zmq_key_file", [](Config& c) -> std::string& { return c.metricsd.zmq_key_file; },
       path_or_empty(),
       "File of the secret key with which the ZeroMQ endpoint is encrypted (CURVE), in Z85; subscribers need "
       "its public key. Empty: no encryption"},
      {"metricsd", "zmq_client_keys_file",
       [](Config& c) -> std::string& { return c.metricsd.zmq_client_keys_file; }, path_or_empty(),
       "File of the public keys of clients that may subscribe, one a line; requires zmq_key_file. Empty: "
       "every client that knows the endpoint's public key may"},
      {"metricsd", "otlp_endpoint", [](Config& c) -> std::string& { return c.metricsd.otlp_endpoint; },
       url_or_empty(),
       "URL to which events that are over are exported as spans of OpenTelemetry, such as "
       "http://localhost:4318/v1/traces. Empty: none"},
  };
}

std::vector<ConfigKey> log_keys() {
  return {
      {"log", "level", [](Config& c) -> std::string& { return c.log.level; },
       one_of({"debug", "info", "warning", "error"}), "Lowest level that is logged"},
      {"log", "format", [](Config& c) -> std::string& { return c.log.format; },
       one_of({"auto", "text", "json"}),
       "Format of the log on standard error; auto: fields of the journal where that reads it, text on a "
       "terminal, else JSON"},
      {"log", "dir", [](Config& c) -> std::string& { return c.log.dir; }, path_or_empty(),
       "Folder of log files as well, JSON, one a day, compressed the next day and kept 30 days; errors also "
       "in a file of their own, kept 90 days. It must exist. Empty: none"},
  };
}

}  // namespace auralis
