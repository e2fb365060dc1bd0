// SPDX-License-Identifier: MIT
#include "common/config/config_loader.h"

#include "common/config/config_table.h"
#include "common/config/service_link.h"

#include <toml++/toml.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

namespace auralis {
namespace {

template <typename Names>
std::string joined(const Names& names) {
  std::string list;
  for (const auto& name : names) list.append(list.empty() ? "" : ", ").append(name);
  return list;
}

std::string name_of_type(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating-point number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

std::optional<ConfigValue> value_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return ConfigValue(text->get());
  if (const auto* number = node.as_integer()) return ConfigValue(number->get());
  if (const auto* number = node.as_floating_point()) return ConfigValue(number->get());
  if (const auto* boolean = node.as_boolean()) return ConfigValue(boolean->get());
  return std::nullopt;
}

std::string_view find_variable(const char* const* environment, std::string_view name) {
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.substr(0, name.size()) == name) {
      return entry.substr(name.size() + 1);
    }
  }
  return {};
}

std::optional<std::string> read_text(const std::string& path, bool required) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream && !required && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  // Opening a directory succeeds; reading it fails here.
  const bool empty = stream && stream.peek() == std::ifstream::traits_type::eof() && !stream.bad();
  std::ostringstream text;
  if (!empty && !(stream && text << stream.rdbuf())) {
    throw ConfigError(path + ": cannot be read: " + std::strerror(errno));
  }
  return text.str();
}

// One parsed file. toml++ sorts its tables by name: collect the errors, and report the one with the lowest
// line number.
class FileReader {
 public:
  FileReader(const std::string& path, Config& config, std::vector<std::string>& places,
             std::string& station_place)
      : path_(path), config_(config), places_(places), station_place_(station_place) {}

  void read(const toml::table& file) {
    const auto sections = config_sections();
    for (const auto& [name, node] : file) {
      const std::string label(name.str());
      if (label == kStation) {
        read_stations(name, node);
      } else if (std::find(sections.begin(), sections.end(), name.str()) == sections.end()) {
        error(name.source(),
              unknown_section(label, node) + "; the sections are " + joined(sections) + " and [[station]]");
      } else if (const toml::table* section = node.as_table()) {
        for (const auto& [key, value] : *section) read_value(name.str(), key, value);
      } else {
        error(name.source(), label + ": must be a section, is " + name_of_type(node));
      }
    }
    if (!errors_.empty()) throw ConfigError(errors_.begin()->second);
  }

 private:
  static constexpr std::string_view kStation = "station";

  static std::string unknown_section(const std::string& label, const toml::node& node) {
    if (node.is_table()) return "[" + label + "]: unknown section";
    return node.is_array_of_tables() ? "[[" + label + "]]: unknown section"
                                     : label + ": is outside any section";
  }

  void read_value(std::string_view section, const toml::key& name, const toml::node& node) {
    const std::string label = "[" + std::string(section) + "] " + std::string(name.str());
    const std::size_t index = config_key_index(section, name.str());
    if (index == config_keys().size()) {
      std::vector<std::string_view> known;
      for (const ConfigKey& key : config_keys()) {
        if (key.section == section) known.push_back(key.key);
      }
      return error(name.source(), label + ": unknown key; the keys of this section are " + joined(known));
    }
    const std::string shown = set(config_keys()[index], config_, label, name, node);
    if (!shown.empty()) places_[index] = place(name.source()) + ": " + shown;
  }

  void read_stations(const toml::key& name, const toml::node& node) {
    if (node.is_table()) {
      return error(name.source(), "[station]: must be [[station]], in double brackets, one for each station");
    }
    const toml::array* stations = node.as_array();
    if (stations == nullptr) {
      return error(name.source(), "station: must be a section, [[station]], is " + name_of_type(node));
    }
    std::size_t count = 0;
    for (const toml::node& station : *stations) {
      if (++count > kMaxConfiguredStations) {
        return error(station.source(),
                     "[[station]]: must occur at most " + std::to_string(kMaxConfiguredStations) + " times");
      }
      if (const toml::table* keys = station.as_table()) {
        read_station(*keys);
      } else {
        error(station.source(), "[[station]]: must be a section, is " + name_of_type(station));
      }
    }
  }

  void read_station(const toml::table& section) {
    if (station_place_.empty()) station_place_ = place(section.source());
    StationConfig station;
    for (const StationKey& key : station_keys()) {
      const auto found = section.find(key.key);
      if (found != section.end()) set(key, station, station_label(key.key), found->first, found->second);
    }
    for (const auto& entry : section) check_station_key(entry.first);
    const auto name = section.find("name");
    if (name == section.end()) {
      error(section.source(),
            station_label("name") + ": must be given, " + station_keys().front().rule.allowed);
    } else if (!station.name.empty()) {
      const auto line = name->first.source().begin.line;
      const auto [first, is_new] = station_names_.emplace(station.name, line);
      if (!is_new) {
        error(name->first.source(), station_label("name") + " = " + to_toml(station.name) +
                                        ": must be unique, is also that of line " +
                                        std::to_string(first->second));
      }
    }
    config_.stations.push_back(std::move(station));
  }

  void check_station_key(const toml::key& name) {
    std::vector<std::string_view> known;
    for (const StationKey& key : station_keys()) known.push_back(key.key);
    if (std::find(known.begin(), known.end(), name.str()) == known.end()) {
      error(name.source(),
            station_label(name.str()) + ": unknown key; the keys of this section are " + joined(known));
    }
  }

  static std::string station_label(std::string_view key) { return "[[station]] " + std::string(key); }

  // The value of the node if it is valid for `key`; else reports an error and returns nothing.
  template <typename Key, typename Target>
  std::string set(const Key& key, Target& target, const std::string& label, const toml::key& name,
                  const toml::node& node) {
    const auto value = value_of(node);
    std::string shown = value ? label + " = " + to_toml(*value) : label;
    const std::string refusal = shown + ": must be " + key.rule.allowed;
    if (!value || !key.is_of_its_type(*value)) {
      error(name.source(), refusal + ", is " + name_of_type(node));
    } else if (!key.set(target, *value)) {
      error(name.source(), refusal);
    } else {
      return shown;
    }
    return {};
  }

  std::string place(const toml::source_region& at) const {
    return path_ + ":" + std::to_string(at.begin.line);
  }

  void error(const toml::source_region& at, const std::string& what) {
    errors_.emplace(at.begin.line, place(at) + ": " + what);
  }

  const std::string& path_;
  Config& config_;
  std::vector<std::string>& places_;
  std::string& station_place_;
  std::map<std::string, toml::source_index> station_names_;  // and the line of each
  std::map<toml::source_index, std::string> errors_;
};

}  // namespace

ConfigLoader::ConfigLoader() : places_(config_keys().size()) {}

void ConfigLoader::read_file(const std::string& path, bool required) {
  const auto text = read_text(path, required);
  if (!text) return;
  file_ = path;
  try {
    FileReader(path, config_, places_, station_place_).read(toml::parse(*text, std::string_view(path)));
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw ConfigError(path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
                      ": syntax error: " + std::string(error.description()));
  }
}

void ConfigLoader::read_environment(const char* const* environment) {
  constexpr std::string_view kPrefix = "AURALIS_";
  const auto& keys = config_keys();
  std::vector<std::string> links;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::string_view variable = entry.substr(0, entry.find('='));
    if (variable.substr(0, kPrefix.size()) != kPrefix) continue;
    const std::string_view text = entry.substr(std::min(entry.size(), variable.size() + 1));
    if (text.empty()) continue;  // docker compose passes variables that the host lacks as empty
    if (is_service_link(variable, text)) {
      links.emplace_back(variable);
      continue;
    }
    const std::string place = "environment variable " + std::string(variable);
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&](const ConfigKey& key) { return key.variable() == variable; });
    if (found == keys.end()) {
      std::vector<std::string> known(keys.size());
      std::transform(keys.begin(), keys.end(), known.begin(),
                     [](const ConfigKey& key) { return key.variable(); });
      throw ConfigError(place + ": unknown; known are " + joined(known));
    }
    set_text(static_cast<std::size_t>(found - keys.begin()), place + " = " + to_toml(std::string(text)),
             text);
  }
  if (links.empty()) return;
  warnings_.push_back("ignored environment variables of service links, which are not configuration: " +
                      joined(links) + "; enableServiceLinks: false in the pod avoids them");
}

void ConfigLoader::set_flag(std::size_t key, const std::string& flag, const std::string& text) {
  // Quote the argument unless a shell would accept it bare, so that the error stays one line.
  constexpr std::string_view kBare =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:@%,";
  const bool bare = !text.empty() && text.find_first_not_of(kBare) == std::string::npos;
  set_text(key, flag + " " + (bare ? text : to_toml(text)), text);
}

void ConfigLoader::set_text(std::size_t key, std::string place, std::string_view text) {
  const ConfigKey& target = config_keys()[key];
  if (!target.set_text(config_, text)) throw ConfigError(place + ": must be " + target.rule.allowed);
  places_[key] = std::move(place);
}

void ConfigLoader::resolve_stations() {
  if (!config_.stations.empty()) return;
  const auto& only = config_.synthd;
  config_.stations.push_back({only.station, static_cast<std::uint64_t>(only.seed),
                              find_preset(only.preset)->parameters, /*open=*/true});
}

void ConfigLoader::resolve_runtime_dir(const char* const* environment) {
  if (!config_.runtime.dir.empty()) return;
  // systemd passes the folder that it created for the service in RUNTIME_DIRECTORY.
  const bool system_service =
      !find_variable(environment, "RUNTIME_DIRECTORY").empty() || access(kSystemRuntimeDir, W_OK | X_OK) == 0;
  config_.runtime.dir = system_service ? kSystemRuntimeDir : "/dev/shm/auralis-" + std::to_string(geteuid());
}

}  // namespace auralis
