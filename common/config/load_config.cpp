// SPDX-License-Identifier: MIT
#include "common/config/load_config.h"

#include "common/base/wrapped_text.h"
#include "common/config/command_line.h"
#include "common/config/config_loader.h"
#include "common/config/config_table.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <ostream>
#include <sstream>
#include <utility>

namespace auralis {
namespace {

std::string_view description_of(Daemon daemon) {
  switch (daemon) {
    case Daemon::kSynthd:
      return "Composes and renders endless ambient music into shared memory.";
    case Daemon::kStreamd:
      return "Streams the music from shared memory to WebSocket listeners and serves the player.";
    case Daemon::kMetricsd:
      return "Publishes the metrics in shared memory to Prometheus, ZeroMQ and a dashboard.";
  }
  return {};
}

// The command line, unparsed: the loader checks the values.
struct Flags {
  std::vector<std::string> texts = std::vector<std::string>(config_keys().size());
  std::vector<CLI::Option*> options =
      std::vector<CLI::Option*>(config_keys().size(), nullptr);  // of the CLI::App
  std::string file;
  CLI::Option* file_option = nullptr;
  bool help = false;
  bool version = false;
  bool check_config = false;
  bool print_config = false;
  bool healthcheck = false;
  bool list_devices = false;
};

std::string explanation(const ConfigKey& key) {
  return std::string(key.help) + ". Must be " + key.rule.allowed + ".";
}

std::string as_comment(std::string_view text) { return "# " + wrapped(text, 108, "\n# ") + "\n"; }

constexpr std::size_t kHelpWidth = 80;

void declare(CLI::App& app, Daemon daemon, Flags& flags) {
  app.set_help_flag("");  // our own flag, answered on load_config's stream
  app.allow_extras();     // rejected by load_config, with its own error texts
  app.add_flag("-h,--help", flags.help, "Print this help");
  app.add_flag("--version", flags.version, "Print the version");
  flags.file_option =
      app.add_option("--config", flags.file,
                     "Configuration file; default " + std::string(kDefaultConfigFile) + ", if it exists")
          ->type_name("FILE")
          ->take_last();
  app.add_flag("--check-config", flags.check_config,
               "Check the configuration, all sections, and exit: 0 valid, 2 not");
  app.add_flag("--print-config", flags.print_config,
               "Print the configuration in force as a file, defaults commented out, and exit");
  app.add_flag("--healthcheck", flags.healthcheck,
               "Check whether the running daemon is healthy, and exit: 0 healthy, 1 not");
  if (daemon == Daemon::kSynthd)
    app.add_flag("--list-devices", flags.list_devices, "List the devices that can render, and exit");

  const auto& keys = config_keys();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string name = keys[i].flag(daemon);
    if (name.empty()) continue;
    const std::string description =
        explanation(keys[i]) + " Default " + to_toml(keys[i].get(Config())) + "; " + keys[i].variable();
    flags.options[i] = app.add_option(name, flags.texts[i], wrapped(description, kHelpWidth, "\n"))
                           ->type_name(keys[i].is_integer() ? "N" : "TEXT")
                           ->take_last()
                           ->group("[" + std::string(keys[i].section) + "]");
  }
  app.footer("Precedence: flags, environment variables, the file, the defaults.\n");
}

// The example [[station]] of a default file.
constexpr std::string_view kStationExample = R"(# [[station]]
# name = "night"
# seed = 7
# preset = "sleep"
# bpm = 45
# kicks = false
# open = true
)";

std::string to_section(const StationConfig& station) {
  StationConfig usual;
  const Preset* preset = matching_preset(station.parameters);
  if (preset != nullptr) usual.parameters = preset->parameters;
  std::string text = "\n[[station]]\n";
  for (const StationKey& key : station_keys()) {
    const ConfigValue value = key.get(station);
    // Controls equal to the preset's are commented out; the preset itself is not.
    const bool is_default = value == key.get(key.key == "preset" ? StationConfig() : usual);
    text.append(is_default ? "# " : "").append(key.key).append(" = ").append(to_toml(value)) += '\n';
  }
  return text;
}

std::string stations_to_file(const std::vector<StationConfig>& stations) {
  std::string text =
      "\n" +
      as_comment("Stations, one [[station]] for each, at most " + std::to_string(kMaxConfiguredStations) +
                 ". Without any, station, seed and preset in [synthd] describe the only one, which "
                 "is open. Controls are those of a new station; a restarted one keeps those in "
                 "force. The keys:");
  for (const StationKey& key : station_keys()) {
    const std::string fallback = key.default_text.empty() ? "" : " Default " + key.default_text + ".";
    text += as_comment(std::string(key.key) + ": " + std::string(key.help) + ". Must be " + key.rule.allowed +
                       "." + fallback);
  }
  if (stations.empty()) text += kStationExample;
  for (const StationConfig& station : stations) text += to_section(station);
  return text;
}

// An auralis.toml of `config` that explains every key; keys with their default are commented out.
std::string to_file(const Config& config) {
  std::string text = as_comment(
      "Configuration of Auralis: one file for synthd, streamd and metricsd. Every key can also be given "
      "as an environment variable, AURALIS_<SECTION>_<KEY>, and as a flag of the daemon that it concerns "
      "(see --help), except those of [[station]], which only the file has.");
  std::string_view section;
  for (const ConfigKey& key : config_keys()) {
    if (key.section != section) text.append("\n[").append(key.section).append("]\n");
    section = key.section;
    text += as_comment(explanation(key));
    const ConfigValue value = key.get(config);
    text.append(value == key.get(Config()) ? "# " : "")
        .append(key.key)
        .append(" = ")
        .append(to_toml(value)) += '\n';
  }
  return text + stations_to_file(config.stations);
}

// load_config without setting load_again.
CommandLine load_once(Daemon daemon, int argc, const char* const* argv, const char* const* environment,
                      std::ostream& out) {
  CLI::App app(std::string(description_of(daemon)), std::string(daemon_name(daemon)));
  Flags flags;
  declare(app, daemon, flags);
  const std::string problem = parse_command_line(app, argc, argv);
  if (!problem.empty()) throw ConfigError(problem);

  CommandLine result;
  result.list_devices = flags.list_devices;
  result.healthcheck = flags.healthcheck;
  result.done = flags.help || flags.version || flags.check_config || flags.print_config;
  if (flags.help || flags.version) {
    out << (flags.help ? app.help() : std::string(daemon_name(daemon)) + " " + AURALIS_VERSION + "\n");
    return result;
  }

  ConfigLoader loader;
  const bool given = flags.file_option->count() > 0;
  loader.read_file(given ? flags.file : std::string(kDefaultConfigFile), given);
  loader.read_environment(environment);
  for (std::size_t i = 0; i < flags.options.size(); ++i) {
    const CLI::Option* option = flags.options[i];
    if (option != nullptr && option->count() > 0)
      loader.set_flag(i, config_keys()[i].flag(daemon), flags.texts[i]);
  }
  loader.check_together();
  result.warnings = loader.warnings();
  if (flags.check_config) {
    for (const std::string& warning : result.warnings) out << "warning: " << warning << '\n';
    out << "configuration is valid" << (loader.file().empty() ? " (no file)" : ": " + loader.file()) << '\n';
  } else if (flags.print_config) {
    out << to_file(loader.config());
  }
  loader.resolve_stations();
  loader.resolve_runtime_dir(environment);
  result.config = loader.config();
  return result;
}

// A null-terminated array of C strings, like argv and environ.
std::vector<const char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers(texts.size() + 1, nullptr);
  std::transform(texts.begin(), texts.end(), pointers.begin(),
                 [](const std::string& text) { return text.c_str(); });
  return pointers;
}

}  // namespace

CommandLine load_config(Daemon daemon, int argc, const char* const* argv, const char* const* environment,
                        std::ostream& out) {
  CommandLine result = load_once(daemon, argc, argv, environment, out);
  const std::vector<std::string> arguments(argv, argv + argc);
  std::vector<std::string> variables;
  for (; *environment != nullptr; ++environment) variables.emplace_back(*environment);
  // Copy the strings: setenv() may move what environ points to.
  result.load_again = [daemon, arguments, variables] {
    std::ostringstream unheard;
    const auto count = static_cast<int>(arguments.size());
    return load_once(daemon, count, pointers_to(arguments).data(), pointers_to(variables).data(), unheard)
        .config;
  };
  return result;
}

std::vector<std::string> changed_keys(const Config& a, const Config& b) {
  std::vector<std::string> changed;
  for (const ConfigKey& key : config_keys()) {
    const bool of_only_station =
        key.section == "synthd" && std::any_of(kOnlyStationKeys.begin(), kOnlyStationKeys.end(),
                                               [&](const auto& names) { return names.first == key.key; });
    if (!of_only_station && key.get(a) != key.get(b))
      changed.push_back(std::string(key.section) + "." + std::string(key.key));
  }
  return changed;
}

std::string default_config_file() { return to_file(Config()); }

}  // namespace auralis
