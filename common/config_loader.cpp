// SPDX-License-Identifier: MIT
#include "common/config_loader.h"

#include "common/config_table.h"

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

std::size_t index_of(std::string_view section, std::string_view name) {
  const auto& keys = config_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& key) {
    return key.section == section && key.key == name;
  });
  return static_cast<std::size_t>(found - keys.begin());
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
  // A folder can be opened, and fails here.
  const bool empty = stream && stream.peek() == std::ifstream::traits_type::eof() && !stream.bad();
  std::ostringstream text;
  if (!empty && !(stream && text << stream.rdbuf())) {
    throw ConfigError(path + ": cannot be read: " + std::strerror(errno));
  }
  return text.str();
}

// One parsed file. toml++ sorts its tables by name, so the errors are collected, and the first line's is
// reported.
class FileReader {
 public:
  FileReader(const std::string& path, Config& config, std::vector<std::string>& places)
      : path_(path), config_(config), places_(places) {}

  void read(const toml::table& file) {
    const auto sections = config_sections();
    for (const auto& [name, node] : file) {
      const std::string label(name.str());
      if (std::find(sections.begin(), sections.end(), name.str()) == sections.end()) {
        error(name,
              (node.is_table() ? "[" + label + "]: unknown section" : label + ": stands in no section") +
                  "; the sections are " + joined(sections));
      } else if (const toml::table* section = node.as_table()) {
        for (const auto& [key, value] : *section) read_value(name.str(), key, value);
      } else {
        error(name, label + ": must be a section, is " + name_of_type(node));
      }
    }
    if (!errors_.empty()) throw ConfigError(errors_.begin()->second);
  }

 private:
  void read_value(std::string_view section, const toml::key& name, const toml::node& node) {
    const std::string label = "[" + std::string(section) + "] " + std::string(name.str());
    const std::size_t index = index_of(section, name.str());
    if (index == config_keys().size()) {
      std::vector<std::string_view> known;
      for (const ConfigKey& key : config_keys()) {
        if (key.section == section) known.push_back(key.key);
      }
      return error(name, label + ": unknown key; the keys of this section are " + joined(known));
    }
    const ConfigKey& key = config_keys()[index];
    const auto value = value_of(node);
    const std::string shown = value ? label + " = " + to_toml(*value) : label;
    if (!value || std::holds_alternative<std::int64_t>(*value) != key.is_integer()) {
      error(name, shown + ": must be " + key.rule.allowed + ", is " + name_of_type(node));
    } else if (!key.set(config_, *value)) {
      error(name, shown + ": must be " + key.rule.allowed);
    } else {
      places_[index] = place(name) + shown;
    }
  }

  std::string place(const toml::key& name) const {
    return path_ + ":" + std::to_string(name.source().begin.line) + ": ";
  }

  void error(const toml::key& name, const std::string& what) {
    errors_.emplace(name.source().begin.line, place(name) + what);
  }

  const std::string& path_;
  Config& config_;
  std::vector<std::string>& places_;
  std::map<toml::source_index, std::string> errors_;
};

}  // namespace

ConfigLoader::ConfigLoader() : places_(config_keys().size()) {}

void ConfigLoader::read_file(const std::string& path, bool required) {
  const auto text = read_text(path, required);
  if (!text) return;
  file_ = path;
  try {
    FileReader(path, config_, places_).read(toml::parse(*text, std::string_view(path)));
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw ConfigError(path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
                      ": syntax error: " + std::string(error.description()));
  }
}

void ConfigLoader::read_environment(const char* const* environment) {
  constexpr std::string_view kPrefix = "AURALIS_";
  const auto& keys = config_keys();
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::string_view variable = entry.substr(0, entry.find('='));
    if (variable.substr(0, kPrefix.size()) != kPrefix) continue;
    const std::string place = "environment variable " + std::string(variable);
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&](const ConfigKey& key) { return key.variable() == variable; });
    if (found == keys.end()) {
      std::vector<std::string> known(keys.size());
      std::transform(keys.begin(), keys.end(), known.begin(),
                     [](const ConfigKey& key) { return key.variable(); });
      throw ConfigError(place + ": unknown; known are " + joined(known));
    }
    const std::string_view text = entry.substr(std::min(entry.size(), variable.size() + 1));
    set_text(static_cast<std::size_t>(found - keys.begin()), place + " = " + to_toml(std::string(text)),
             text);
  }
}

void ConfigLoader::set_flag(std::size_t key, const std::string& flag, const std::string& text) {
  // Bare where a shell would take it so, quoted otherwise, so that the error stays one line.
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

void ConfigLoader::check_together() const {
  const auto& audio = config_.audio;
  const std::int64_t least_ring_ms = audio.target_depth_ms + 2 * audio.chunk_ms;
  const std::int64_t past_ms = audio.ring_ms - audio.target_depth_ms - audio.chunk_ms;
  if (audio.ring_ms % audio.chunk_ms != 0) {
    refuse("audio", "ring_ms", "must be a multiple of chunk_ms, which is " + std::to_string(audio.chunk_ms));
  }
  if (audio.ring_ms < least_ring_ms) {
    refuse("audio", "ring_ms",
           "must be at least target_depth_ms + 2 * chunk_ms, which is " + std::to_string(least_ring_ms));
  }
  if (config_.synthd.engine == "native" && !config_.synthd.device.empty()) {
    refuse("synthd", "device", "must be empty with engine native, which uses no OpenCL device");
  }
  if (config_.streamd.prefill_ms > past_ms) {
    refuse(
        "streamd", "prefill_ms",
        "must be at most [audio] ring_ms - target_depth_ms - chunk_ms, which is " + std::to_string(past_ms));
  }
}

void ConfigLoader::refuse(std::string_view section, std::string_view name, const std::string& why) const {
  const std::size_t index = index_of(section, name);
  const std::string fallback = "[" + std::string(section) + "] " + std::string(name) + " = " +
                               to_toml(config_keys()[index].get(config_)) + " (the default)";
  throw ConfigError((places_[index].empty() ? fallback : places_[index]) + ": " + why);
}

void ConfigLoader::resolve_runtime_dir(const char* const* environment) {
  constexpr const char* kSystemDir = "/run/auralis";
  if (!config_.runtime.dir.empty()) return;
  // systemd names the folder that it made for the service in RUNTIME_DIRECTORY.
  const bool system_service =
      !find_variable(environment, "RUNTIME_DIRECTORY").empty() || access(kSystemDir, W_OK | X_OK) == 0;
  config_.runtime.dir = system_service ? kSystemDir : "/dev/shm/auralis-" + std::to_string(geteuid());
}

}  // namespace auralis
