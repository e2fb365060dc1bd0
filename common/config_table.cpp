// SPDX-License-Identifier: MIT
#include "common/config_table.h"

#include "common/music_parameters.h"

#include <nlohmann/json.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace auralis {
namespace {

ConfigRule integer_from(std::int64_t min, std::int64_t max) {
  return {"an integer from " + std::to_string(min) + " to " + std::to_string(max),
          [=](const ConfigValue& value) {
            const auto number = std::get<std::int64_t>(value);
            return min <= number && number <= max;
          }};
}

ConfigRule multiple_of(std::int64_t step, std::int64_t min, std::int64_t max) {
  return {
      "a multiple of " + std::to_string(step) + " from " + std::to_string(min) + " to " + std::to_string(max),
      [=](const ConfigValue& value) {
        const auto number = std::get<std::int64_t>(value);
        return min <= number && number <= max && number % step == 0;
      }};
}

ConfigRule one_of(std::vector<ConfigValue> choices) {
  std::string allowed;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) allowed += i + 1 == choices.size() ? " or " : ", ";
    const ConfigValue& choice = choices[i];
    allowed += std::holds_alternative<std::string>(choice) ? std::get<std::string>(choice)
                                                           : std::to_string(std::get<std::int64_t>(choice));
  }
  return {allowed, [choices = std::move(choices)](const ConfigValue& value) {
            return std::find(choices.begin(), choices.end(), value) != choices.end();
          }};
}

ConfigRule text(std::string allowed, bool (*check)(const std::string&)) {
  return {std::move(allowed),
          [check](const ConfigValue& value) { return check(std::get<std::string>(value)); }};
}

ConfigRule preset_name() {
  std::vector<ConfigValue> names(kPresets.size());
  std::transform(kPresets.begin(), kPresets.end(), names.begin(),
                 [](const Preset& preset) { return std::string(preset.name); });
  return one_of(std::move(names));
}

bool is_station_name(const std::string& name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  return !name.empty() && name.size() <= 31 && name.find_first_not_of(kAllowed) == std::string::npos;
}

bool is_host(const std::string& host) {
  in6_addr address{};
  // A zero byte would hide what follows it from inet_pton.
  if (host.find('\0') != std::string::npos) return false;
  return host == "localhost" || inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_endpoint(const std::string& endpoint) {
  constexpr std::size_t kScheme = 6;
  return endpoint.size() > kScheme &&
         (endpoint.compare(0, kScheme, "tcp://") == 0 || endpoint.compare(0, kScheme, "ipc://") == 0);
}

bool is_folder(const std::string& path) { return path.empty() || path.front() == '/'; }

bool is_anything(const std::string&) { return true; }

constexpr const char* kHostRule = "an IPv4 address, an IPv6 address or localhost";

std::string with_prefix(std::string_view prefix, std::string_view section, std::string_view key,
                        char separator) {
  std::string name(prefix);
  if (!section.empty()) name.append(section) += separator;
  return name.append(key);
}

std::vector<ConfigKey> make_table() {
  return {
      {"runtime", "dir", [](Config& c) -> std::string& { return c.runtime.dir; },
       text("an absolute path, or empty", is_folder),
       "Folder of the shared memory, on a tmpfs; the same for all three daemons. Empty: /run/auralis as a "
       "system "
       "service, else /dev/shm/auralis-<uid>"},

      {"audio", "sample_rate", [](Config& c) -> std::int64_t& { return c.audio.sample_rate; },
       one_of({std::int64_t{44'100}, std::int64_t{48'000}}), "Frames a second, in hertz"},
      // Steps of 10 ms are whole frames at either rate.
      {"audio", "chunk_ms", [](Config& c) -> std::int64_t& { return c.audio.chunk_ms; },
       multiple_of(10, 20, 200), "Length of a chunk, in milliseconds"},
      {"audio", "ring_ms", [](Config& c) -> std::int64_t& { return c.audio.ring_ms; },
       integer_from(1'000, 10'000),
       "Audio that the ring holds, past and future, in milliseconds; a multiple of chunk_ms, and at least "
       "target_depth_ms + 2 * chunk_ms"},
      {"audio", "target_depth_ms", [](Config& c) -> std::int64_t& { return c.audio.target_depth_ms; },
       integer_from(500, 1'000), "How far ahead of now synthd keeps the ring filled, in milliseconds"},

      {"synthd", "engine", [](Config& c) -> std::string& { return c.synthd.engine; },
       one_of({std::string("auto"), std::string("opencl"), std::string("native")}),
       "What renders. auto: OpenCL where device names one or there is a GPU, else native; native: this "
       "processor, without OpenCL"},
      {"synthd", "device", [](Config& c) -> std::string& { return c.synthd.device; },
       text("text", is_anything),
       "OpenCL device: its index in --list-devices, or a part of its name. Empty: the first GPU; "
       "with engine opencl, where there is none, the first device"},
      {"synthd", "station", [](Config& c) -> std::string& { return c.synthd.station; },
       text("1 to 31 of a-z, 0-9, _ and -", is_station_name), "Name of the station"},
      {"synthd", "seed", [](Config& c) -> std::int64_t& { return c.synthd.seed; },
       integer_from(0, std::numeric_limits<std::int64_t>::max()), "Number that the music is derived from"},
      {"synthd", "preset", [](Config& c) -> std::string& { return c.synthd.preset; }, preset_name(),
       "Music controls of a station that starts anew; a restarted one keeps what is in force"},

      {"streamd", "host", [](Config& c) -> std::string& { return c.streamd.host; }, text(kHostRule, is_host),
       "Address that the player and the stream are served on"},
      {"streamd", "port", [](Config& c) -> std::int64_t& { return c.streamd.port; }, integer_from(1, 65'535),
       "TCP port of the player and the stream"},
      {"streamd", "prefill_ms", [](Config& c) -> std::int64_t& { return c.streamd.prefill_ms; },
       integer_from(0, 1'000),
       "Past audio that a new listener is sent at once, in milliseconds; at most ring_ms - target_depth_ms - "
       "chunk_ms"},
      {"streamd", "max_listeners", [](Config& c) -> std::int64_t& { return c.streamd.max_listeners; },
       integer_from(1, 60'000), "Listeners served at a time; more are refused"},
      {"streamd", "max_backlog_ms", [](Config& c) -> std::int64_t& { return c.streamd.max_backlog_ms; },
       integer_from(200, 10'000),
       "Audio queued for a slow listener before chunks are dropped, in milliseconds"},

      {"metricsd", "host", [](Config& c) -> std::string& { return c.metricsd.host; },
       text(kHostRule, is_host), "Address that the metrics and the dashboard are served on"},
      {"metricsd", "port", [](Config& c) -> std::int64_t& { return c.metricsd.port; },
       integer_from(1, 65'535), "TCP port of the metrics and the dashboard"},
      {"metricsd", "zmq_endpoint", [](Config& c) -> std::string& { return c.metricsd.zmq_endpoint; },
       text("an endpoint that begins with tcp:// or ipc://", is_endpoint),
       "ZeroMQ endpoint that snapshots and events are published on"},

      {"log", "level", [](Config& c) -> std::string& { return c.log.level; },
       one_of({"debug", "info", "warning", "error"}), "Least level that is logged"},
      {"log", "format", [](Config& c) -> std::string& { return c.log.format; },
       one_of({"auto", "text", "json"}),
       "Form of the log on standard error; auto: text on a terminal, else JSON"},
  };
}

}  // namespace

std::string ConfigKey::flag(Daemon daemon) const {
  const bool shared = section == "runtime" || section == "audio" || section == "log";
  if (!shared && section != daemon_name(daemon)) return {};
  std::string name = with_prefix("--", shared ? section : std::string_view(), key, '-');
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string ConfigKey::variable() const {
  std::string name = with_prefix("auralis_", section, key, '_');
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return 'a' <= c && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

ConfigValue ConfigKey::get(const Config& config) const {
  Config copy = config;
  return std::visit([&copy](auto of) -> ConfigValue { return of(copy); }, field);
}

bool ConfigKey::set(Config& config, const ConfigValue& value) const {
  if (std::holds_alternative<std::int64_t>(value) != is_integer() || !rule.admits(value)) return false;
  if (is_integer()) {
    std::get<IntegerField>(field)(config) = std::get<std::int64_t>(value);
  } else {
    std::get<TextField>(field)(config) = std::get<std::string>(value);
  }
  return true;
}

bool ConfigKey::set_text(Config& config, std::string_view input) const {
  if (!is_integer()) return set(config, std::string(input));
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(input.data(), input.data() + input.size(), number);
  return error == std::errc() && end == input.data() + input.size() && set(config, number);
}

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> table = make_table();
  return table;
}

std::vector<std::string_view> config_sections() {
  std::vector<std::string_view> sections;
  for (const ConfigKey& key : config_keys()) {
    if (sections.empty() || sections.back() != key.section) sections.push_back(key.section);
  }
  return sections;
}

std::string to_toml(const ConfigValue& value) {
  if (std::holds_alternative<std::int64_t>(value)) return std::to_string(std::get<std::int64_t>(value));
  // What JSON escapes in a string, TOML reads alike.
  return nlohmann::json(std::get<std::string>(value))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace auralis
