// SPDX-License-Identifier: MIT
// Where values come from; what is refused, and in which words, is config_refusal_test.cpp.
#include "common/config/load_config.h"

#include "common/config/config_table.h"
#include "tests/unit/common/config/config_support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace auralis::config_test {
namespace {

using test::ConfigFixture;
using test::Sources;

constexpr std::array<Daemon, 3> kDaemons{Daemon::kSynthd, Daemon::kStreamd, Daemon::kMetricsd};

// A value of each key that is valid and not its default, beside the defaults of all others.
const std::vector<std::pair<std::string, ConfigValue>>& other_values() {
  static const std::vector<std::pair<std::string, ConfigValue>> values{
      {"runtime.dir", "/tmp/elsewhere"},
      {"audio.sample_rate", std::int64_t{48'000}},
      {"audio.chunk_ms", std::int64_t{50}},
      {"audio.ring_ms", std::int64_t{3'000}},
      {"audio.target_depth_ms", std::int64_t{600}},
      {"synthd.engine", "opencl"},
      {"synthd.device", "\"quoted\" \\ and spaced"},
      {"synthd.station", "night_1"},
      {"synthd.seed", std::int64_t{9'223'372'036'854'775'807}},
      {"synthd.preset", "sleep"},
      {"synthd.max_stations", std::int64_t{4'096}},
      {"streamd.host", "::1"},
      {"streamd.port", std::int64_t{65'535}},
      {"streamd.tls_certificate", "/etc/auralis/tls/fullchain.pem"},
      {"streamd.tls_key", "/etc/auralis/tls/key.pem"},
      {"streamd.threads", std::int64_t{64}},
      {"streamd.drain_ms", std::int64_t{0}},
      {"streamd.prefill_ms", std::int64_t{0}},
      {"streamd.max_backlog_ms", std::int64_t{10'000}},
      {"streamd.max_backlog_kb", std::int64_t{320}},
      {"streamd.opus_kbps", std::int64_t{6}},
      {"streamd.encoding_threads", std::int64_t{2}},
      {"streamd.max_listeners", std::int64_t{1}},
      {"streamd.max_listeners_per_address", std::int64_t{60'000}},
      {"streamd.max_opus_stations", std::int64_t{4'096}},
      {"streamd.max_personal_stations_per_address", std::int64_t{4'096}},
      {"streamd.max_downloads", std::int64_t{64}},
      {"streamd.download_minutes", std::int64_t{1'440}},
      {"streamd.render_program", "/opt/render"},
      {"streamd.trusted_proxies", "127.0.0.1, 10.0.0.0/8,2001:db8::/32"},
      {"streamd.handshakes_per_second", std::int64_t{1}},
      {"streamd.handshakes_per_second_per_address", std::int64_t{100'000}},
      {"streamd.tls_handshakes_per_second", std::int64_t{1}},
      {"streamd.handshake_timeout_ms", std::int64_t{60'000}},
      {"streamd.idle_timeout_s", std::int64_t{3'600}},
      {"streamd.max_header_bytes", std::int64_t{65'536}},
      {"streamd.max_message_bytes", std::int64_t{512}},
      {"streamd.messages_per_second", std::int64_t{1'000}},
      {"streamd.changes_per_second", std::int64_t{100}},
      {"streamd.allowed_origins", "https://example.org, http://[::1]:8000, *"},
      {"streamd.ticket_key_file", "/etc/auralis/ticket.key"},
      {"streamd.token_file", "/etc/auralis/token"},
      {"streamd.control_by", "operators"},
      {"metricsd.host", "localhost"},
      {"metricsd.port", std::int64_t{1}},
      {"metricsd.tls_certificate", "/etc/auralis/tls/fullchain.pem"},
      {"metricsd.tls_key", "/etc/auralis/tls/key.pem"},
      {"metricsd.password_file", "/etc/auralis/metrics.password"},
      {"metricsd.zmq_endpoint", "ipc:///run/auralis/zmq"},
      {"metricsd.zmq_key_file", "/etc/auralis/zmq.key"},
      {"metricsd.zmq_client_keys_file", "/etc/auralis/zmq.clients"},
      {"metricsd.otlp_endpoint", "https://collector.example:4318/v1/traces"},
      {"log.level", "warning"},
      {"log.format", "json"},
      {"log.dir", "/var/log/auralis"},
  };
  return values;
}

ConfigValue other_value(const ConfigKey& key) {
  const auto& values = other_values();
  const std::string name = std::string(key.section) + "." + std::string(key.key);
  const auto found =
      std::find_if(values.begin(), values.end(), [&](const auto& entry) { return entry.first == name; });
  REQUIRE_MESSAGE(found != values.end(), "a new key needs a value here: " << name);
  return found->second;
}

const ConfigKey& key_named(std::string_view section, std::string_view name) {
  const std::size_t index = config_key_index(section, name);
  REQUIRE(index < config_keys().size());
  return config_keys()[index];
}

// `key`, and another one that cannot be without it, or the other way round.
std::vector<const ConfigKey*> with_companion(const ConfigKey& key) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kCompanions{
      {{"tls_certificate", "tls_key"},
       {"tls_key", "tls_certificate"},
       {"control_by", "token_file"},
       {"zmq_client_keys_file", "zmq_key_file"}}};
  std::vector<const ConfigKey*> keys{&key};
  for (const auto& [name, companion] : kCompanions) {
    if (key.key == name) keys.push_back(&key_named(key.section, companion));
  }
  return keys;
}

std::string bare(const ConfigValue& value) {
  return std::holds_alternative<std::string>(value) ? std::get<std::string>(value)
                                                    : std::to_string(std::get<std::int64_t>(value));
}

TEST_CASE("with no source at all every key has its default, which is valid") {
  ConfigFixture fixture;
  const Config config = fixture.load({}).config;
  for (const ConfigKey& key : config_keys()) {
    CAPTURE(key.key);
    Config copy;
    if (key.section != "runtime") CHECK(key.get(config) == key.get(Config()));
    CHECK(key.set(copy, key.get(Config())));
  }
}

TEST_CASE("every key can be set in the file, which sets no other") {
  ConfigFixture fixture;
  for (const ConfigKey& key : config_keys()) {
    CAPTURE(key.key);
    const auto given = with_companion(key);
    Sources sources;
    sources.file = "[" + std::string(key.section) + "]\n";
    for (const ConfigKey* one : given)
      sources.file += std::string(one->key) + " = " + to_toml(other_value(*one)) + "\n";
    for (const Daemon daemon : kDaemons) {
      sources.daemon = daemon;
      const Config config = fixture.load(sources).config;
      for (const ConfigKey* one : given) CHECK(one->get(config) == other_value(*one));
      for (const ConfigKey& other : config_keys()) {
        if (std::find(given.begin(), given.end(), &other) == given.end() && other.section != "runtime")
          CHECK(other.get(config) == other.get(Config()));
      }
    }
  }
}

TEST_CASE("every key can be set by an environment variable") {
  ConfigFixture fixture;
  for (const ConfigKey& key : config_keys()) {
    Sources sources;
    sources.environment = {"PATH=/bin", "AURALISH=no matter"};
    for (const ConfigKey* one : with_companion(key))
      sources.environment.push_back(one->variable() + "=" + bare(other_value(*one)));
    CHECK(key.get(fixture.load(sources).config) == other_value(key));
  }
  CHECK(config_keys()[0].variable() == "AURALIS_RUNTIME_DIR");
}

TEST_CASE("every key is a flag of the daemon that it concerns, in both forms") {
  ConfigFixture fixture;
  std::set<const ConfigKey*> reached;
  for (const Daemon daemon : kDaemons) {
    for (const ConfigKey& key : config_keys()) {
      const std::string flag = key.flag(daemon);
      if (flag.empty()) continue;
      CAPTURE(flag);
      reached.insert(&key);
      std::vector<std::string> apart;
      std::vector<std::string> joined;
      for (const ConfigKey* one : with_companion(key)) {
        const std::string value = bare(other_value(*one));
        apart.insert(apart.end(), {one->flag(daemon), value});
        joined.push_back(one->flag(daemon) + "=" + value);
      }
      CHECK(key.get(fixture.load({daemon, apart, {}, {}}).config) == other_value(key));
      CHECK(key.get(fixture.load({daemon, joined, {}, {}}).config) == other_value(key));
    }
  }
  CHECK(reached.size() == config_keys().size());
}

TEST_CASE(
    "a daemon's own keys are flags without its name, shared ones have their section, others' are none") {
  const auto flag = [](Daemon daemon, std::string_view section, std::string_view name) {
    return key_named(section, name).flag(daemon);
  };
  CHECK(flag(Daemon::kSynthd, "synthd", "device") == "--device");
  CHECK(flag(Daemon::kStreamd, "streamd", "prefill_ms") == "--prefill-ms");
  CHECK(flag(Daemon::kMetricsd, "metricsd", "zmq_endpoint") == "--zmq-endpoint");
  CHECK(flag(Daemon::kStreamd, "metricsd", "port").empty());
  for (const Daemon daemon : kDaemons) {
    CHECK(flag(daemon, "audio", "sample_rate") == "--audio-sample-rate");
    CHECK(flag(daemon, "log", "level") == "--log-level");
    CHECK(flag(daemon, "runtime", "dir") == "--runtime-dir");
  }
}

TEST_CASE("precedence is flags, environment, file, default; the last of equal flags wins") {
  ConfigFixture fixture;
  Sources sources;
  CHECK(fixture.load(sources).config.streamd.port == 8'000);
  sources.file = "[streamd]\nport = 1";
  CHECK(fixture.load(sources).config.streamd.port == 1);
  sources.environment = {"AURALIS_STREAMD_PORT=2"};
  CHECK(fixture.load(sources).config.streamd.port == 2);
  sources.flags = {"--port", "3"};
  CHECK(fixture.load(sources).config.streamd.port == 3);
  sources.flags = {"--port", "3", "--port", "4"};
  CHECK(fixture.load(sources).config.streamd.port == 4);
}

TEST_CASE("a value is checked even if a later source overrides it, so that no error stays hidden") {
  ConfigFixture fixture;
  CHECK(fixture.refusal({Daemon::kStreamd, {"--port", "3"}, {"AURALIS_STREAMD_PORT=0"}, {}}) ==
        "environment variable AURALIS_STREAMD_PORT = \"0\": must be an integer from 1 to 65535");
}

TEST_CASE("an empty flag counts as given, an empty variable does not") {
  ConfigFixture fixture;
  const std::string file = "[synthd]\ndevice = \"GPU\"";
  CHECK(fixture.load({Daemon::kSynthd, {}, {}, file}).config.synthd.device == "GPU");
  CHECK(fixture.load({Daemon::kSynthd, {"--device", ""}, {}, file}).config.synthd.device.empty());
  CHECK(fixture.load({Daemon::kSynthd, {}, {"AURALIS_SYNTHD_DEVICE="}, file}).config.synthd.device == "GPU");
}

TEST_CASE("without a runtime folder a system service takes /run/auralis, a user their own on tmpfs") {
  ConfigFixture fixture;
  CHECK(fixture.load({Daemon::kStreamd, {}, {"RUNTIME_DIRECTORY=/run/auralis"}, {}}).config.runtime.dir ==
        "/run/auralis");
  if (access("/run/auralis", W_OK | X_OK) != 0) {
    CHECK(fixture.load({}).config.runtime.dir == "/dev/shm/auralis-" + std::to_string(geteuid()));
  }
  const CommandLine given =
      fixture.load({Daemon::kStreamd, {"--runtime-dir", "/tmp/x"}, {"RUNTIME_DIRECTORY=/run/y"}, {}});
  CHECK(given.config.runtime.dir == "/tmp/x");
  CHECK(given.config.daemon_dir(Daemon::kMetricsd) == "/tmp/x/metricsd");
  CHECK(given.config.probe_dir() == "/tmp/x/probe");
}

TEST_CASE("loading again uses the same flags and environment, and the current file") {
  ConfigFixture fixture;
  const CommandLine first = fixture.load({Daemon::kStreamd,
                                          {"--port", "3"},
                                          {"AURALIS_RUNTIME_DIR=/tmp/x", "AURALIS_LOG_LEVEL=error"},
                                          "[streamd]\nport = 1\nmax_listeners = 10"});
  test::write_file(fixture.path(), "[streamd]\nport = 2\nmax_listeners = 20\n[[station]]\nname = \"night\"");
  const Config again = first.load_again();
  CHECK(again.streamd.port == 3);
  CHECK(again.streamd.max_listeners == 20);
  CHECK(again.log.level == "error");
  CHECK(again.runtime.dir == "/tmp/x");
  REQUIRE(again.stations.size() == 1);
  CHECK(again.stations.front().name == "night");
  CHECK(first.config.streamd.max_listeners == 10);
  CHECK(changed_keys(first.config, again) == std::vector<std::string>{"streamd.max_listeners"});
}

TEST_CASE("a file that is invalid when loaded again is rejected as at the start") {
  ConfigFixture fixture;
  const CommandLine first = fixture.load({});
  test::write_file(fixture.path(), "[streamd]\nport = 0");
  const std::string refusal = fixture.path() + ":2: [streamd] port = 0: must be an integer from 1 to 65535";
  CHECK_THROWS_WITH_AS(first.load_again(), refusal.c_str(), ConfigError);
  test::write_file(fixture.path(), "");
  CHECK(changed_keys(first.load_again(), first.config).empty());
}

TEST_CASE("changed_keys names each key that differs, except those of the only station") {
  for (const ConfigKey& key : config_keys()) {
    Config changed;
    REQUIRE(key.set(changed, other_value(key)));
    const std::string name = std::string(key.section) + "." + std::string(key.key);
    CAPTURE(name);
    const bool of_station = name == "synthd.station" || name == "synthd.seed" || name == "synthd.preset";
    const auto expected = of_station ? std::vector<std::string>() : std::vector<std::string>{name};
    CHECK(changed_keys(Config(), changed) == expected);
  }
  Config a;
  Config b;
  CHECK(changed_keys(a, b).empty());
  a.audio.chunk_ms = 50;
  b.log.format = "json";
  b.stations.emplace_back();
  CHECK(changed_keys(a, b) == std::vector<std::string>{"audio.chunk_ms", "log.format"});
}

TEST_CASE("flags such as --healthcheck are not part of the configuration") {
  ConfigFixture fixture;
  CHECK_FALSE(fixture.load({}).done);
  CHECK_FALSE(fixture.load({}).healthcheck);
  CHECK(fixture.load({Daemon::kStreamd, {"--healthcheck"}, {}, {}}).healthcheck);
  CHECK(fixture.load({Daemon::kSynthd, {"--list-devices"}, {}, {}}).list_devices);
  CHECK(fixture.refusal({Daemon::kStreamd, {"--list-devices"}, {}, {}}) ==
        "--list-devices: unknown option; --help lists them");
}

TEST_CASE("--version and --help answer at once, whatever the configuration") {
  ConfigFixture fixture;
  CHECK(fixture.load({Daemon::kSynthd, {"--version"}, {"AURALIS_LOG_LEVEL=loud"}, "]"}).done);
  CHECK(fixture.out() == "synthd " AURALIS_VERSION "\n");
  for (const Daemon daemon : kDaemons) {
    CHECK(fixture.load({daemon, {"--help"}, {}, "]"}).done);
    for (const ConfigKey& key : config_keys()) {
      CAPTURE(key.variable());
      const bool listed = fixture.out().find(key.variable()) != std::string::npos;
      CHECK(listed == !key.flag(daemon).empty());
    }
  }
}

TEST_CASE("--check-config names the file that it found valid") {
  ConfigFixture fixture;
  CHECK(fixture.load({Daemon::kMetricsd, {"--check-config"}, {}, "[audio]\nchunk_ms = 50"}).done);
  CHECK(fixture.out() == "configuration is valid: " + fixture.path() + "\n");
}

TEST_CASE("--print-config prints a file with the same configuration") {
  ConfigFixture fixture;
  Sources sources;
  for (const ConfigKey& key : config_keys())
    sources.environment.push_back(key.variable() + "=" + bare(other_value(key)));
  const Config config = fixture.load(sources).config;
  sources.flags = {"--print-config"};
  CHECK(fixture.load(sources).done);
  Sources printed;
  printed.file = fixture.out();
  for (const ConfigKey& key : config_keys()) CHECK(key.get(fixture.load(printed).config) == key.get(config));
}

TEST_CASE("the default file sets nothing, is valid line by line if uncommented, and is the installed one") {
  ConfigFixture fixture;
  Sources sources;
  sources.file = default_config_file();
  const Config config = fixture.load(sources).config;
  for (const ConfigKey& key : config_keys()) {
    if (key.section != "runtime") CHECK(key.get(config) == key.get(Config()));
    const std::string line = "# " + std::string(key.key) + " = ";
    const auto found =
        sources.file.find("\n" + line, sources.file.find("[" + std::string(key.section) + "]"));
    REQUIRE(found != std::string::npos);
    sources.file.erase(found + 1, 2);
  }
  fixture.load(sources);
  fixture.load({Daemon::kSynthd, {"--print-config"}, {}, {}});
  CHECK(fixture.out() == default_config_file());
  // Written by: synthd --config /dev/null --print-config
  CHECK(default_config_file() == test::read_file(AURALIS_SOURCE_DIR "/systemd/auralis.toml"));
}

}  // namespace
}  // namespace auralis::config_test
