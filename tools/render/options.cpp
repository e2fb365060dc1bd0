// SPDX-License-Identifier: MIT
#include "tools/render/options.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "common/config/config_table.h"
#include "common/music/permalink.h"
#include "synthd/ring_shape.h"

namespace auralis {
namespace {

// FLAC counts its frames in 36 bits.
constexpr double kLongestSeconds = 1'000'000;
// 31 years: a frame is still a distance that a double can tell.
constexpr double kLatestStartSeconds = 1e9;
constexpr double kUsualSeconds = 60;

const ConfigKey& config_key(std::string_view section, std::string_view key) {
  return config_keys().at(config_key_index(section, key));
}

constexpr std::array<std::string_view, 2> kSwitch{"off", "on"};
constexpr std::array<std::string_view, 2> kEngines{
    kEngineChoices[static_cast<std::size_t>(EngineChoice::kNative)],
    kEngineChoices[static_cast<std::size_t>(EngineChoice::kOpenCl)]};
constexpr std::array<std::string_view, 2> kBits{"16", "24"};

void declare_music(Arguments& arguments) {
  const std::string group = "The music";
  const Config usual;
  arguments.declare("--link", "LINK",
                    "A permalink, or its part after the ?; instead of the other music options and --rate",
                    group);
  arguments.declare("--preset", "NAME",
                    config_key("synthd", "preset").rule.allowed + "; default " + usual.synthd.preset, group);
  arguments.declare("--seed", "N",
                    "Number from which the music is derived; default " + std::to_string(usual.synthd.seed),
                    group);
  arguments.declare("--key", "NAME", "Instead of the preset's: " + choice_of(kKeyNames), group);
  arguments.declare("--mode", "NAME", "Instead of the preset's: " + choice_of(kModeNames), group);
  for (const NumberControl& control : kNumberControls) {
    arguments.declare(
        flag_of(control.name), "X",
        "Instead of the preset's: " + number_text(control.min) + " to " + number_text(control.max), group);
  }
  for (const std::string_view voices : kVoiceGroupNames) {
    arguments.declare(flag_of(voices), "SWITCH", "Instead of the preset's: on or off", group);
  }
}

void declare(Arguments& arguments) {
  arguments.declare_plain("FILE", "File to write; its extension selects the format: " +
                                      choice_of(kSoundExtensions) + "; -: Ogg Opus on the standard output");
  declare_music(arguments);

  const std::string group = "The file";
  arguments.declare("--seconds", "X", "Length; default " + number_text(kUsualSeconds), group);
  arguments.declare("--at", "X",
                    "Start, in seconds from the station's beginning; default 0, or the link's position",
                    group);
  arguments.declare("--fade", "X", "Fade in and out, over this many seconds each; default 0", group);
  arguments.declare("--rate", "HZ", config_key("audio", "sample_rate").rule.allowed + " frames a second",
                    group);
  arguments.declare("--midi", "FILE", "Also, or only, write the composition as a Standard MIDI File", group);
  arguments.declare("--bits", "N", "Bits a sample of WAV and FLAC: " + choice_of(kBits) + "; default 16",
                    group);
  arguments.declare_switch(
      "--stems",
      "Write four files, each with one group of voices: FILE with -pads, -lead, -kicks and -swells", group);
  arguments.declare_switch("--force", "Replace existing files", group);

  const std::string engine_group = "The engine";
  arguments.declare("--engine", "NAME", "native, on this processor, or opencl; default native", engine_group);
  arguments.declare("--device", "TEXT",
                    "With opencl: index in synthd --list-devices, or a part of the device's name",
                    engine_group);
  arguments.declare_switch(
      "--background", "Take only processor time that nothing else wants, on one processor", engine_group);
  arguments.set_footer(
      "A file gets its name when it is complete. Exit status: 0 written, 1 failed, 2 wrong usage.");
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

// Flags whose values a link gives.
std::vector<std::string> music_flags() {
  std::vector<std::string> flags{"--preset", "--seed", "--key", "--mode", "--rate"};
  for (const NumberControl& control : kNumberControls) flags.push_back(flag_of(control.name));
  for (const std::string_view voices : kVoiceGroupNames) flags.push_back(flag_of(voices));
  return flags;
}

// Sets what the link's field `name` says, where it is given.
void set_from_link(const std::string& name, const std::optional<std::uint32_t>& value, const ConfigKey& key,
                   Config& config) {
  if (!value || key.set(config, std::int64_t{*value})) return;
  throw UsageError("In the link, " + name + " must be " + key.rule.allowed + ".");
}

void read_link(const std::string& text, RenderOptions& options) {
  const std::size_t mark = text.find('?');
  Permalink link;
  const std::size_t query = mark == std::string::npos ? 0 : mark + 1;
  try {
    link = permalink_of(query_fields(std::string_view(text).substr(query)));
  } catch (const QueryError& error) {
    throw UsageError(error.what());
  }
  // A listener without one is given any; a file must come out the same again.
  if (!link.seed) throw UsageError("In the link, seed must be given: it decides what is written.");
  set_from_link("rate", link.sample_rate, config_key("audio", "sample_rate"), options.config);
  set_from_link("chunk", link.chunk_ms, config_key("audio", "chunk_ms"), options.config);
  options.seed = *link.seed;
  options.history = link.history;
  options.first_frame = make_timeline(options.config, 0).first_frame(link.chunk);
}

// Seed, history, rate, and where a link begins.
void read_station(const Arguments& arguments, RenderOptions& options) {
  if (const std::string* const link = arguments.text("--link")) {
    for (const std::string& flag : music_flags()) {
      if (arguments.text(flag) != nullptr)
        throw UsageError(flag + ": cannot be combined with --link, which sets it; leave it out");
    }
    read_link(*link, options);
    return;
  }
  arguments.read("--preset", config_key("synthd", "preset"), options.config);
  arguments.read("--seed", config_key("synthd", "seed"), options.config);
  arguments.read("--rate", config_key("audio", "sample_rate"), options.config);
  options.seed = static_cast<std::uint64_t>(options.config.synthd.seed);
  options.history = begun_with(read_music(arguments, options.config));
}

// Before its first bar a history knows of nothing, which would be silence.
void check_start(const Arguments& arguments, const RenderOptions& options) {
  if (options.first_frame >= options.history.first_bar_frame) return;
  const auto rate = static_cast<double>(options.config.audio.sample_rate);
  constexpr double kStepsPerSecond = 1'000;  // rounded up to what is easily read
  const double seconds = static_cast<double>(options.history.first_bar_frame) / rate;
  const std::string earliest = number_text(std::ceil(seconds * kStepsPerSecond) / kStepsPerSecond);
  if (arguments.text("--at") != nullptr) {
    arguments.refuse("--at", earliest + " or later: the link describes no music before that");
  }
  throw UsageError("In the link, at lies before the first bar; give --at " + earliest + " or later.");
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
  std::string extension = file == kStandardOutput ? ".opus" : file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto* const found = std::find(kSoundExtensions.begin(), kSoundExtensions.end(), extension);
  if (found == kSoundExtensions.end()) {
    throw UsageError(shown(file.string()) + ": must end in " + choice_of(kSoundExtensions));
  }
  SoundFormat format;
  format.type = static_cast<SoundType>(found - kSoundExtensions.begin());
  format.bits = arguments.choice("--bits", kBits, 0) == 0 ? 16 : 24;
  const bool coded = format.type == SoundType::kOgg || format.type == SoundType::kOpus;
  if (coded && arguments.text("--bits") != nullptr)
    throw UsageError("--bits: Ogg Vorbis and Opus have none; leave it out");
  return format;
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
  Arguments arguments("Renders a station's music to a file, faster than real time.", "auralis-render");
  declare(arguments);
  if (!arguments.parse(argc, argv, out, "one file at a time")) return std::nullopt;
  const std::string* const midi = arguments.text("--midi");
  const std::string& file = arguments.plain();
  if (file.empty() && midi == nullptr) throw UsageError("no file is named; --help lists the options");

  RenderOptions options;
  options.file = file;
  if (file.empty()) {
    const std::string for_sound = " needs a file for the sound";
    if (arguments.is_given("--stems")) throw UsageError("--stems" + for_sound);
    if (arguments.text("--bits") != nullptr) throw UsageError("--bits" + for_sound);
  }
  options.stems = arguments.is_given("--stems");
  if (options.file == kStandardOutput) {
    if (options.stems) throw UsageError("--stems needs a file, not -");
    if (midi != nullptr) throw UsageError("--midi needs a file for the sound, not -");
  }
  options.background = arguments.is_given("--background");
  options.force = arguments.is_given("--force");
  if (midi != nullptr) options.midi_file = read_midi_file(arguments, *midi, options.files());
  const bool opencl = arguments.choice("--engine", kEngines, 0) == 1;
  options.config.synthd.engine = opencl ? EngineChoice::kOpenCl : EngineChoice::kNative;
  arguments.read("--device", config_key("synthd", "device"), options.config);
  if (arguments.text("--device") != nullptr && !opencl) {
    throw UsageError("--device needs --engine opencl");
  }
  read_station(arguments, options);

  const auto rate = static_cast<double>(options.config.audio.sample_rate);
  // At least a frame.
  const double seconds = arguments.number("--seconds", 0.001, kLongestSeconds, kUsualSeconds);
  options.frames = std::llround(seconds * rate);
  options.fade_frames = std::llround(arguments.number("--fade", 0, seconds / 2, 0) * rate);
  if (arguments.text("--at") != nullptr) {
    options.first_frame = std::llround(arguments.number("--at", 0, kLatestStartSeconds, 0) * rate);
  }
  check_start(arguments, options);
  if (!options.file.empty()) options.format = read_format(arguments, options.file);
  options.format.sample_rate = static_cast<std::uint32_t>(options.config.audio.sample_rate);
  options.format.frames = options.frames;
  return options;
}

}  // namespace auralis
