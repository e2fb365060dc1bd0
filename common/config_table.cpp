// SPDX-License-Identifier: MIT
#include "common/config_table.h"

#include "common/music_parameters.h"

#include <nlohmann/json.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
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

template <std::size_t N>
ConfigRule one_of_names(const std::array<std::string_view, N>& names) {
  std::vector<ConfigValue> choices(N);
  std::transform(names.begin(), names.end(), choices.begin(),
                 [](std::string_view name) { return std::string(name); });
  return one_of(std::move(choices));
}

ConfigRule number_from(double min, double max) {
  // The limits of all controls are whole numbers.
  const auto whole = [](double limit) { return std::to_string(static_cast<std::int64_t>(limit)); };
  return {"a number from " + whole(min) + " to " + whole(max), [=](const ConfigValue& value) {
            // Written so that NaN, which compares false with everything, is refused.
            const double number = std::get<double>(value);
            return min <= number && number <= max;
          }};
}

ConfigRule boolean() {
  return {"true or false", [](const ConfigValue&) { return true; }};
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
  const bool reserved = name == "new" || name == "personal";
  return !name.empty() && name.size() <= 31 && name.find_first_not_of(kAllowed) == std::string::npos &&
         !reserved;
}

ConfigRule station_name() {
  return text("1 to 31 of a-z, 0-9, _ and -, but not new or personal, which are reserved", is_station_name);
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

constexpr std::string_view kSeedHelp = "Number that the music is derived from";
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
      {"synthd", "station", [](Config& c) -> std::string& { return c.synthd.station; }, station_name(),
       "Name of the station that plays where no [[station]] is configured; seed and preset are that one's, "
       "too"},
      {"synthd", "seed", [](Config& c) -> std::int64_t& { return c.synthd.seed; },
       integer_from(0, std::numeric_limits<std::int64_t>::max()), kSeedHelp},
      {"synthd", "preset", [](Config& c) -> std::string& { return c.synthd.preset; }, preset_name(),
       "Music controls of a station that starts anew; a restarted one keeps what is in force"},
      {"synthd", "max_stations", [](Config& c) -> std::int64_t& { return c.synthd.max_stations; },
       integer_from(0, 4'096),
       "Stations at a time, configured and personal; 0: as many as half of what the device renders in real "
       "time, 256 MB of rings, and a quarter of the free space of the runtime folder allow"},

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

// With a point where it would else read as an integer.
std::string to_toml_number(double number) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  std::string digits(buffer.data(), end);
  if (digits.find_first_not_of("-0123456789") == std::string::npos) digits += ".0";
  return digits;
}

// The double that is written as shortly as the float: 0.3F shall be printed as 0.3.
double widened(float number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  double wide = 0;
  std::from_chars(digits.data(), end, wide);
  return wide;
}

StationKey number_key(const NumberControl& control, std::string_view help) {
  const auto member = control.member;
  return {control.name,
          number_from(control.min, control.max),
          help,
          [member](const StationConfig& s) { return widened(s.parameters.*member); },
          [member](StationConfig& s, const ConfigValue& value) {
            s.parameters.*member = static_cast<float>(std::get<double>(value));
          },
          {}};
}

StationKey voice_key(VoiceGroup group, std::string_view help) {
  const auto bit = static_cast<unsigned>(group);
  return {kVoiceGroupNames.at(bit),
          boolean(),
          help,
          [group](const StationConfig& s) { return s.parameters.has(group); },
          [bit](StationConfig& s, const ConfigValue& value) {
            const unsigned others = s.parameters.voices & ~(1U << bit);
            s.parameters.voices =
                static_cast<std::uint8_t>(others | static_cast<unsigned>(std::get<bool>(value)) << bit);
          },
          {}};
}

std::vector<StationKey> identity_keys() {
  return {
      {"name",
       station_name(),
       "Name, which each station needs, unlike that of any other",
       [](const StationConfig& s) { return s.name; },
       [](StationConfig& s, const ConfigValue& value) { s.name = std::get<std::string>(value); },
       {}},
      {"seed", integer_from(0, std::numeric_limits<std::int64_t>::max()), kSeedHelp,
       [](const StationConfig& s) { return static_cast<std::int64_t>(s.seed); },
       [](StationConfig& s, const ConfigValue& value) {
         s.seed = static_cast<std::uint64_t>(std::get<std::int64_t>(value));
       },
       std::to_string(StationConfig().seed)},
      {"preset", preset_name(), "All music controls at once; those below override it one by one",
       [](const StationConfig& s) {
         const Preset* preset = matching_preset(s.parameters);
         return std::string(preset != nullptr ? preset->name : kDefaultPreset.name);
       },
       [](StationConfig& s, const ConfigValue& value) {
         s.parameters = find_preset(std::get<std::string>(value))->parameters;
       },
       std::string(kDefaultPreset.name)},
  };
}

std::vector<StationKey> make_station_keys() {
  std::vector<StationKey> keys = identity_keys();
  keys.push_back({"key",
                  one_of_names(kKeyNames),
                  "Root of the scale",
                  [](const StationConfig& s) { return std::string(kKeyNames.at(s.parameters.key)); },
                  [](StationConfig& s, const ConfigValue& value) {
                    s.parameters.key = key_from_name(std::get<std::string>(value)).value();
                  },
                  {}});
  keys.push_back({"mode",
                  one_of_names(kModeNames),
                  "Mode of the scale",
                  [](const StationConfig& s) {
                    return std::string(kModeNames.at(static_cast<std::size_t>(s.parameters.mode)));
                  },
                  [](StationConfig& s, const ConfigValue& value) {
                    s.parameters.mode = mode_from_name(std::get<std::string>(value)).value();
                  },
                  {}});
  // In the order of kNumberControls and of VoiceGroup.
  constexpr std::array<std::string_view, kNumberControls.size()> kNumberHelp{
      "Beats a minute", "How loud it is, and how much the melody plays",
      "How far the melody strays from the tones of the chord",
      "How far the chords stray from the mode's usual progressions",
      "How many sevenths, ninths and doubled tones the chords have"};
  constexpr std::array<std::string_view, kVoiceGroupNames.size()> kVoiceHelp{
      "Whether there are pads", "Whether there is a melody", "Whether there are kicks",
      "Whether there are swells of noise"};
  for (std::size_t i = 0; i < kNumberControls.size(); ++i)
    keys.push_back(number_key(kNumberControls.at(i), kNumberHelp.at(i)));
  for (std::size_t i = 0; i < kVoiceGroupNames.size(); ++i)
    keys.push_back(voice_key(static_cast<VoiceGroup>(i), kVoiceHelp.at(i)));
  keys.push_back({"open", boolean(), "Whether any listener may change its controls",
                  [](const StationConfig& s) { return s.open; },
                  [](StationConfig& s, const ConfigValue& value) { s.open = std::get<bool>(value); },
                  to_toml(StationConfig().open)});
  return keys;
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

bool ConfigKey::is_of_its_type(const ConfigValue& value) const {
  return is_integer() ? std::holds_alternative<std::int64_t>(value)
                      : std::holds_alternative<std::string>(value);
}

bool ConfigKey::set(Config& config, const ConfigValue& value) const {
  if (!is_of_its_type(value) || !rule.admits(value)) return false;
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

bool StationKey::is_of_its_type(const ConfigValue& value) const {
  const ConfigValue own = get(StationConfig());
  const bool whole = std::holds_alternative<double>(own) && std::holds_alternative<std::int64_t>(value);
  return whole || value.index() == own.index();
}

bool StationKey::set(StationConfig& station, const ConfigValue& value) const {
  if (!is_of_its_type(value)) return false;
  const bool number = std::holds_alternative<double>(get(station));
  const auto* whole = std::get_if<std::int64_t>(&value);
  const ConfigValue own = number && whole != nullptr ? static_cast<double>(*whole) : value;
  if (!rule.admits(own)) return false;
  put(station, own);
  return true;
}

const std::vector<StationKey>& station_keys() {
  static const std::vector<StationKey> keys = make_station_keys();
  return keys;
}

std::string to_toml(const ConfigValue& value) {
  if (std::holds_alternative<std::int64_t>(value)) return std::to_string(std::get<std::int64_t>(value));
  if (std::holds_alternative<bool>(value)) return std::get<bool>(value) ? "true" : "false";
  if (std::holds_alternative<double>(value)) return to_toml_number(std::get<double>(value));
  // What JSON escapes in a string, TOML reads alike.
  return nlohmann::json(std::get<std::string>(value))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace auralis
