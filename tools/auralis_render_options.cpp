// SPDX-License-Identifier: MIT
#include "tools/auralis_render_options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <ostream>
#include <sstream>
#include <utility>

#include "common/config_table.h"
#include "tools/auralis_render_file.h"

namespace auralis {
namespace {

// FLAC counts its frames in 36 bits.
constexpr double kLongestSeconds = 1'000'000;
// 31 years: a frame is still a distance that a double can tell.
constexpr double kLatestStartSeconds = 1e9;
constexpr double kUsualSeconds = 60;

std::string number_text(double number) {
  std::ostringstream text;
  text.precision(12);
  text << number;
  return text.str();
}

// Names as people read them: a, b or c.
template <typename Names>
std::string choice_of(const Names& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text.append(i == 0 ? "" : i + 1 == names.size() ? " or " : ", ").append(names[i]);
  }
  return text;
}

std::string flag_of(std::string_view name) {
  std::string flag = "--" + std::string(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

const ConfigKey& config_key(std::string_view section, std::string_view key) {
  const auto& keys = config_keys();
  return *std::find_if(keys.begin(), keys.end(),
                       [&](const ConfigKey& one) { return one.section == section && one.key == key; });
}

// Options as they were given: texts, which are checked when they are asked for.
class Arguments {
 public:
  explicit Arguments(CLI::App& app) : app_(app) {}

  void declare(const std::string& flag, const std::string& type, const std::string& help,
               const std::string& group) {
    Given& given = given_[flag];
    given.option = app_.add_option(flag, given.text, help)->type_name(type)->take_last()->group(group);
  }

  // What was given, if it was.
  const std::string* text(const std::string& flag) const {
    const Given& given = given_.at(flag);
    return given.option->count() > 0 ? &given.text : nullptr;
  }

  [[noreturn]] void refuse(const std::string& flag, const std::string& allowed) const {
    throw UsageError(flag + " " + shown(given_.at(flag).text) + ": must be " + allowed);
  }

  // Sets `config` where the flag was given.
  void read(const std::string& flag, const ConfigKey& key, Config& config) const {
    const std::string* given = text(flag);
    if (given != nullptr && !key.set_text(config, *given)) refuse(flag, key.rule.allowed);
  }

  double number(const std::string& flag, double min, double max, double fallback) const {
    const std::string* given = text(flag);
    if (given == nullptr) return fallback;
    double value = 0;
    const char* const end = given->data() + given->size();
    const auto [stop, error] = std::from_chars(given->data(), end, value);
    // So that what is no number, which compares false with everything, is refused.
    const bool in_range = min <= value && value <= max;
    if (error != std::errc() || stop != end || !in_range) {
      refuse(flag, "a number from " + number_text(min) + " to " + number_text(max));
    }
    return value;
  }

  template <typename Names>
  std::size_t choice(const std::string& flag, const Names& names, std::size_t fallback) const {
    const std::string* given = text(flag);
    if (given == nullptr) return fallback;
    const auto found = std::find(names.begin(), names.end(), *given);
    if (found == names.end()) refuse(flag, choice_of(names));
    return static_cast<std::size_t>(found - names.begin());
  }

 private:
  struct Given {
    std::string text;
    CLI::Option* option = nullptr;
  };

  CLI::App& app_;
  std::map<std::string, Given> given_;
};

constexpr std::array<std::string_view, 2> kSwitch{"off", "on"};
constexpr std::array<std::string_view, 2> kEngines{"native", "opencl"};
constexpr std::array<std::string_view, 2> kBits{"16", "24"};

struct Flags {
  std::string file;
  CLI::Option* file_option = nullptr;
  bool stems = false;
  bool force = false;
  bool help = false;
  bool version = false;
};

void declare_music(Arguments& arguments) {
  const std::string group = "The music";
  const Config usual;
  arguments.declare("--preset", "NAME",
                    config_key("synthd", "preset").rule.allowed + "; default " + usual.synthd.preset, group);
  arguments.declare("--seed", "N",
                    "Number that it is derived from; default " + std::to_string(usual.synthd.seed), group);
  arguments.declare("--key", "NAME", "In place of the preset's: " + choice_of(kKeyNames), group);
  arguments.declare("--mode", "NAME", "In place of the preset's: " + choice_of(kModeNames), group);
  for (const NumberControl& control : kNumberControls) {
    arguments.declare(
        flag_of(control.name), "X",
        "In place of the preset's: " + number_text(control.min) + " to " + number_text(control.max), group);
  }
  for (const std::string_view voices : kVoiceGroupNames) {
    arguments.declare(flag_of(voices), "SWITCH", "In place of the preset's: on or off", group);
  }
}

void declare(CLI::App& app, Arguments& arguments, Flags& flags) {
  app.set_help_flag("");  // ours, so that it is answered on the caller's stream
  app.allow_extras();     // refused in the words of the other errors
  app.add_flag("-h,--help", flags.help, "Print this help");
  app.add_flag("--version", flags.version, "Print the version");
  flags.file_option = app.add_option("FILE", flags.file,
                                     "What to write; its extension says how: " + choice_of(kSoundExtensions));
  flags.file_option->type_name("");
  declare_music(arguments);

  const std::string group = "The file";
  arguments.declare("--seconds", "X", "How much; default " + number_text(kUsualSeconds), group);
  arguments.declare("--at", "X", "Where to begin, in seconds; default 0. It is the same music from anywhere",
                    group);
  arguments.declare("--rate", "HZ", config_key("audio", "sample_rate").rule.allowed + " frames a second",
                    group);
  arguments.declare("--midi", "FILE", "Write the composition too, or alone, as a Standard MIDI File", group);
  arguments.declare("--bits", "N", "Of WAV and FLAC: " + choice_of(kBits) + "; default 16", group);
  app.add_flag("--stems", flags.stems,
               "Four files, one group of voices alone in each: FILE with -pads, -lead, -kicks and -swells")
      ->group(group);
  app.add_flag("--force", flags.force, "Replace what is there already")->group(group);

  const std::string engine_group = "The engine";
  arguments.declare("--engine", "NAME", "native, on this processor, or opencl; default native", engine_group);
  arguments.declare("--device", "TEXT",
                    "With opencl: index in synthd --list-devices, or a part of the device's name",
                    engine_group);
  app.footer("A file gets its name when it is whole. Exit status: 0 written, 1 failed, 2 wrong usage.");
}

MusicParameters read_music(const Arguments& arguments, const Config& config) {
  MusicParameters music = find_preset(config.synthd.preset)->parameters;
  music.key = static_cast<std::uint8_t>(arguments.choice("--key", kKeyNames, music.key));
  music.mode =
      static_cast<Mode>(arguments.choice("--mode", kModeNames, static_cast<std::size_t>(music.mode)));
  for (const NumberControl& control : kNumberControls) {
    float& value = music.*control.member;
    value = static_cast<float>(
        arguments.number(flag_of(control.name), control.min, control.max, static_cast<double>(value)));
  }
  for (std::size_t group = 0; group < kVoiceGroupNames.size(); ++group) {
    const bool was_on = music.has(static_cast<VoiceGroup>(group));
    const bool on = arguments.choice(flag_of(kVoiceGroupNames.at(group)), kSwitch, was_on ? 1 : 0) == 1;
    if (on != was_on) music.voices = static_cast<std::uint8_t>(music.voices ^ (1U << group));
  }
  return music;
}

std::filesystem::path read_midi_file(const Arguments& arguments, const std::string& name,
                                     const std::vector<std::filesystem::path>& sounds) {
  if (name.empty()) arguments.refuse("--midi", "the name of a file");
  const auto plain = [](const std::filesystem::path& path) {
    return std::filesystem::absolute(path).lexically_normal();
  };
  for (const auto& sound : sounds) {
    if (plain(sound) == plain(name)) arguments.refuse("--midi", "another file than that of the sound");
  }
  return name;
}

SoundFormat read_format(const Arguments& arguments, const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto* const found = std::find(kSoundExtensions.begin(), kSoundExtensions.end(), extension);
  if (found == kSoundExtensions.end()) {
    throw UsageError(shown(file.string()) + ": must end in " + choice_of(kSoundExtensions));
  }
  SoundFormat format;
  format.type = static_cast<SoundType>(found - kSoundExtensions.begin());
  format.bits = arguments.choice("--bits", kBits, 0) == 0 ? 16 : 24;
  if (format.type == SoundType::kOgg && arguments.text("--bits") != nullptr) {
    throw UsageError("--bits: Ogg Vorbis has none; leave it out");
  }
  return format;
}

void parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    throw UsageError(std::string(error.what()) + "; --help lists the options");
  }
  const auto unknown = app.remaining();
  if (unknown.empty()) return;
  const bool is_option = unknown.front().front() == '-';
  throw UsageError(shown(unknown.front()) +
                   (is_option ? ": unknown option; --help lists them" : ": one file at a time"));
}

}  // namespace

std::vector<std::filesystem::path> RenderOptions::files() const {
  if (file.empty()) return {};
  if (!stems) return {file};
  std::vector<std::filesystem::path> paths;
  for (const std::string_view stem : kStemNames) {
    std::filesystem::path path = file;
    path.replace_filename(file.stem().string() + "-" + std::string(stem) + file.extension().string());
    paths.push_back(path);
  }
  return paths;
}

std::optional<RenderOptions> parse_render_options(int argc, const char* const* argv, std::ostream& out) {
  CLI::App app("Renders the music of a station into a file, faster than it plays.", "auralis-render");
  Arguments arguments(app);
  Flags flags;
  declare(app, arguments, flags);
  parse(app, argc, argv);
  if (flags.help || flags.version) {
    out << (flags.help ? app.help() : std::string("auralis-render ") + AURALIS_VERSION + "\n");
    return std::nullopt;
  }
  const std::string* const midi = arguments.text("--midi");
  if (flags.file.empty() && midi == nullptr) throw UsageError("no file is named; --help lists the options");

  RenderOptions options;
  options.file = flags.file;
  if (flags.file.empty()) {
    const std::string for_sound = ": is for sound; name a file for it";
    if (flags.stems) throw UsageError("--stems" + for_sound);
    if (arguments.text("--bits") != nullptr) throw UsageError("--bits" + for_sound);
  }
  options.stems = flags.stems;
  options.force = flags.force;
  if (midi != nullptr) options.midi_file = read_midi_file(arguments, *midi, options.files());
  options.config.synthd.engine = kEngines.at(arguments.choice("--engine", kEngines, 0));
  arguments.read("--device", config_key("synthd", "device"), options.config);
  if (arguments.text("--device") != nullptr && options.config.synthd.engine != "opencl") {
    throw UsageError("--device: is for --engine opencl alone");
  }
  arguments.read("--preset", config_key("synthd", "preset"), options.config);
  arguments.read("--seed", config_key("synthd", "seed"), options.config);
  arguments.read("--rate", config_key("audio", "sample_rate"), options.config);
  options.seed = static_cast<std::uint64_t>(options.config.synthd.seed);
  options.history = begun_with(read_music(arguments, options.config));

  const auto rate = static_cast<double>(options.config.audio.sample_rate);
  // At least a frame.
  const double seconds = arguments.number("--seconds", 0.001, kLongestSeconds, kUsualSeconds);
  options.frames = std::llround(seconds * rate);
  options.first_frame = std::llround(arguments.number("--at", 0, kLatestStartSeconds, 0) * rate);
  if (!options.file.empty()) options.format = read_format(arguments, options.file);
  options.format.sample_rate = static_cast<std::uint32_t>(options.config.audio.sample_rate);
  options.format.frames = options.frames;
  return options;
}

}  // namespace auralis
