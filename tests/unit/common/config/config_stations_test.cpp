// SPDX-License-Identifier: MIT
// The stations of the configuration: [[station]], and the only one where there is none.
#include "common/config/load_config.h"

#include "common/config/config_table.h"
#include "tests/unit/common/config/config_support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iomanip>
#include <sstream>
#include <utility>

namespace auralis::config_stations_test {
namespace {

using test::ConfigFixture;
using test::Sources;

constexpr const char* kNameRule = "1 to 31 of a-z, 0-9, _ and -, but not new or personal, which are reserved";

MusicParameters preset(std::string_view name) { return find_preset(name)->parameters; }

// The only station of a file that has one, "night", and `keys` in it.
StationConfig night(ConfigFixture& fixture, const std::string& keys) {
  const auto stations =
      fixture.load({Daemon::kSynthd, {}, {}, "[[station]]\nname = \"night\"\n" + keys}).config.stations;
  REQUIRE(stations.size() == 1);
  return stations.front();
}

std::string many_stations(std::size_t count) {
  std::string file;
  for (std::size_t i = 0; i < count; ++i) file += "[[station]]\nname = \"s" + std::to_string(i) + "\"\n";
  return file;
}

TEST_CASE("without a [[station]], three keys of synthd describe the only station, which is open") {
  ConfigFixture fixture;
  for (const Daemon daemon : {Daemon::kSynthd, Daemon::kStreamd, Daemon::kMetricsd}) {
    CHECK(fixture.load({daemon, {}, {}, {}}).config.stations ==
          std::vector<StationConfig>{{"default", 1, preset("focus"), true}});
    const auto given = fixture.load({daemon,
                                     {},
                                     {"AURALIS_SYNTHD_SEED=9223372036854775807"},
                                     "[synthd]\nstation = \"cave\"\npreset = \"sleep\""});
    CHECK(given.config.stations ==
          std::vector<StationConfig>{{"cave", 9'223'372'036'854'775'807, preset("sleep"), true}});
  }
  CHECK(fixture.load({Daemon::kSynthd, {"--seed", "3"}, {}, "station = []"}).config.stations ==
        std::vector<StationConfig>{{"default", 3, preset("focus"), true}});
}

TEST_CASE("a [[station]] needs only a name; by default it is closed, with seed 1 and preset focus") {
  ConfigFixture fixture;
  CHECK(night(fixture, "") == StationConfig{"night", 1, preset("focus"), false});
}

TEST_CASE("every key of a [[station]] sets its own value, and no other") {
  ConfigFixture fixture;
  const std::vector<std::pair<std::string, void (*)(StationConfig&)>> cases{
      {"seed = 9223372036854775807", [](StationConfig& s) { s.seed = 9'223'372'036'854'775'807; }},
      {"seed = 0", [](StationConfig& s) { s.seed = 0; }},
      {"preset = \"sleep\"", [](StationConfig& s) { s.parameters = preset("sleep"); }},
      {"key = \"C#\"", [](StationConfig& s) { s.parameters.key = 1; }},
      {"key = \"B\"", [](StationConfig& s) { s.parameters.key = 11; }},
      {"mode = \"mixolydian\"", [](StationConfig& s) { s.parameters.mode = Mode::kMixolydian; }},
      {"bpm = 40", [](StationConfig& s) { s.parameters.bpm = 40; }},
      {"bpm = 120.0", [](StationConfig& s) { s.parameters.bpm = 120; }},
      {"intensity = 1", [](StationConfig& s) { s.parameters.intensity = 1; }},
      {"melody_complexity = 0.0", [](StationConfig& s) { s.parameters.melody_complexity = 0; }},
      {"chord_progression_variety = 1e-3",
       [](StationConfig& s) { s.parameters.chord_progression_variety = 0.001F; }},
      {"harmonic_density = 0.7", [](StationConfig& s) { s.parameters.harmonic_density = 0.7F; }},
      {"pads = false", [](StationConfig& s) { s.parameters.voices = 0b1110; }},
      {"melody = false", [](StationConfig& s) { s.parameters.voices = 0b1101; }},
      {"kicks = false", [](StationConfig& s) { s.parameters.voices = 0b1011; }},
      {"swells = false", [](StationConfig& s) { s.parameters.voices = 0b0111; }},
      {"kicks = true", [](StationConfig&) {}},
      {"open = true", [](StationConfig& s) { s.open = true; }},
  };
  for (const auto& one : cases) {
    CAPTURE(one.first);
    StationConfig expected{"night", 1, preset("focus"), false};
    one.second(expected);
    CHECK(night(fixture, one.first) == expected);
  }
  for (const StationKey& key : station_keys()) {
    const bool tried = std::any_of(cases.begin(), cases.end(), [&](const auto& one) {
      return one.first.rfind(std::string(key.key) + " = ", 0) == 0;
    });
    CHECK_MESSAGE((tried || key.key == "name"), "a new key needs a case here: " << key.key);
  }
}

TEST_CASE("every control of the music is a key of a [[station]]") {
  std::vector<std::string_view> controls{"key", "mode"};
  for (const NumberControl& control : kNumberControls) controls.push_back(control.name);
  controls.insert(controls.end(), kVoiceGroupNames.begin(), kVoiceGroupNames.end());
  for (const std::string_view control : controls) {
    CAPTURE(control);
    CHECK(std::any_of(station_keys().begin(), station_keys().end(),
                      [&](const StationKey& key) { return key.key == control; }));
  }
}

TEST_CASE("controls override the preset one by one, in any order") {
  ConfigFixture fixture;
  StationConfig expected{"night", 1, preset("sleep"), false};
  expected.parameters.key = 2;
  expected.parameters.bpm = 45.5F;
  expected.parameters.voices = 0b1011;
  CHECK(night(fixture, "key = \"D\"\nbpm = 45.5\nkicks = false\npreset = \"sleep\"") == expected);
  CHECK(night(fixture, "preset = \"sleep\"\nkey = \"D\"\nbpm = 45.5\nkicks = false") == expected);
}

TEST_CASE("stations keep the order of the file, up to the maximum, in either TOML notation") {
  ConfigFixture fixture;
  const auto stations = fixture.load({Daemon::kStreamd, {}, {}, many_stations(kMaxConfiguredStations)});
  REQUIRE(stations.config.stations.size() == kMaxConfiguredStations);
  for (std::size_t i = 0; i < kMaxConfiguredStations; ++i)
    CHECK(stations.config.stations[i].name == "s" + std::to_string(i));

  const std::string in_one_line = "station = [{name = \"b\", seed = 2}, {name = \"a\"}]";
  CHECK(fixture.load({Daemon::kStreamd, {}, {}, in_one_line}).config.stations ==
        std::vector<StationConfig>{{"b", 2, preset("focus"), false}, {"a", 1, preset("focus"), false}});
}

TEST_CASE("an invalid value in a [[station]] is rejected with its line") {
  ConfigFixture fixture;
  const std::string name_rule = std::string("must be ") + kNameRule;
  for (const auto& [line, refusal] : std::initializer_list<std::pair<std::string, std::string>>{
           {"name = \"\"", "name = \"\": " + name_rule},
           {"name = \"Night\"", "name = \"Night\": " + name_rule},
           {"name = \"new\"", "name = \"new\": " + name_rule},
           {"name = \"personal\"", "name = \"personal\": " + name_rule},
           {"name = \"abcdefghijklmnopqrstuvwxyz012345\"",
            "name = \"abcdefghijklmnopqrstuvwxyz012345\": " + name_rule},
           {"name = 7", "name = 7: " + name_rule + ", is an integer"},
           {"seed = -1", "seed = -1: must be an integer from 0 to 9223372036854775807"},
           {"seed = 1.0",
            "seed = 1.0: must be an integer from 0 to 9223372036854775807, is a floating-point number"},
           {"preset = \"loud\"", "preset = \"loud\": must be focus, meditation, sleep or bright"},
           {"key = \"H\"", "key = \"H\": must be C, C#, D, D#, E, F, F#, G, G#, A, A# or B"},
           {"mode = \"locrian\"",
            "mode = \"locrian\": must be aeolian, dorian, phrygian, lydian, ionian or mixolydian"},
           {"bpm = 39.9", "bpm = 39.9: must be a number from 40 to 120"},
           {"bpm = 121", "bpm = 121: must be a number from 40 to 120"},
           {"bpm = 120.0000001", "bpm = 120.0000001: must be a number from 40 to 120"},
           {"bpm = \"60\"", "bpm = \"60\": must be a number from 40 to 120, is a string"},
           {"bpm = nan", "bpm = nan: must be a number from 40 to 120"},
           {"bpm = inf", "bpm = inf: must be a number from 40 to 120"},
           {"intensity = -1e-3", "intensity = -0.001: must be a number from 0 to 1"},
           {"melody_complexity = true",
            "melody_complexity = true: must be a number from 0 to 1, is a boolean"},
           {"chord_progression_variety = 2", "chord_progression_variety = 2: must be a number from 0 to 1"},
           {"harmonic_density = [1]", "harmonic_density: must be a number from 0 to 1, is an array"},
           {"pads = 1", "pads = 1: must be true or false, is an integer"},
           {"open = \"yes\"", "open = \"yes\": must be true or false, is a string"},
       }) {
    const std::string file = "[[station]]\nname = \"fine\"\n\n[[station]]\n" + line;
    for (const Daemon daemon : {Daemon::kSynthd, Daemon::kStreamd, Daemon::kMetricsd}) {
      // The required name comes last, because the first line's error is reported.
      const std::string given = line.rfind("name", 0) == 0 ? file : file + "\nname = \"other\"";
      CHECK(fixture.refusal({daemon, {}, {}, given}) == "auralis.toml:5: [[station]] " + refusal);
    }
  }
}

TEST_CASE("an unknown or missing key of a [[station]] is rejected with the known keys") {
  ConfigFixture fixture;
  const auto refusal = [&](const std::string& file) {
    return fixture.refusal({Daemon::kSynthd, {}, {}, file});
  };
  CHECK(refusal("[[station]]\nname = \"a\"\ntempo = 60") ==
        "auralis.toml:3: [[station]] tempo: unknown key; the keys of this section are name, seed, preset, "
        "key, mode, bpm, intensity, melody_complexity, chord_progression_variety, harmonic_density, pads, "
        "melody, kicks, swells, open");
  CHECK(refusal("[[station]]\nname = \"a\"\n\n[[station]]\nseed = 2") ==
        std::string("auralis.toml:4: [[station]] name: must be given, ") + kNameRule);
  CHECK(refusal("[[station]]\nname = \"a\"\n[[station]]\nname = \"b\"\n[[station]]\nname = \"a\"") ==
        "auralis.toml:6: [[station]] name = \"a\": must be unique, is also that of line 2");
  CHECK(refusal(many_stations(kMaxConfiguredStations + 1)) ==
        "auralis.toml:65: [[station]]: must occur at most 32 times");
}

TEST_CASE("a station in another form than [[station]] is rejected, with the correct form") {
  ConfigFixture fixture;
  const auto refusal = [&](const std::string& file) {
    return fixture.refusal({Daemon::kMetricsd, {}, {}, file});
  };
  const std::string table = ": [station]: must be [[station]], in double brackets, one for each station";
  CHECK(refusal("[log]\n[station]\nname = \"a\"") == "auralis.toml:2" + table);
  CHECK(refusal("station.name = \"a\"") == "auralis.toml:1" + table);
  CHECK(refusal("station = \"a\"") == "auralis.toml:1: station: must be a section, [[station]], is a string");
  CHECK(refusal("station = [{name = \"a\"},\n7]") ==
        "auralis.toml:2: [[station]]: must be a section, is an integer");
}

TEST_CASE("of several errors in stations and elsewhere the first line's is reported") {
  ConfigFixture fixture;
  CHECK(
      fixture.refusal({Daemon::kSynthd,
                       {},
                       {},
                       "[[station]]\nseed = 1\nbpm = 1\n[audio]\nchunk_ms = 1\n[[station]]\nname = \"\""}) ==
      std::string("auralis.toml:1: [[station]] name: must be given, ") + kNameRule);
  CHECK(fixture.refusal({Daemon::kSynthd, {}, {}, "[audio]\nchunk_ms = 1\n[[station]]\nname = \"\""}) ==
        "auralis.toml:2: [audio] chunk_ms = 1: must be a multiple of 10 from 20 to 200");
}

TEST_CASE(
    "a key that describes the only station is rejected together with a [[station]], wherever it is set") {
  ConfigFixture fixture;
  const std::string file = "\n[[station]]\nname = \"a\"\n[[station]]\nname = \"b\"\n";
  const std::string why = ": must not be set where there is a [[station]], as there is at " + fixture.path() +
                          ":2; remove it, and set ";
  // Even if set to its default: a user who sets it expects an effect.
  CHECK(fixture.refusal({Daemon::kStreamd, {}, {}, file + "[synthd]\nstation = \"default\""}) ==
        "auralis.toml:7: [synthd] station = \"default\"" + why + "name there");
  CHECK(fixture.refusal({Daemon::kMetricsd, {}, {"AURALIS_SYNTHD_PRESET=sleep"}, file}) ==
        "environment variable AURALIS_SYNTHD_PRESET = \"sleep\"" + why + "preset there");
  CHECK(fixture.refusal({Daemon::kSynthd, {"--seed", "1"}, {}, file}) == "--seed 1" + why + "seed there");
  CHECK(fixture.refusal({Daemon::kSynthd, {"--engine", "native"}, {}, file}) == "not refused");
}

TEST_CASE("synthd.max_stations leaves room for the stations that are configured") {
  ConfigFixture fixture;
  const std::string file = many_stations(3);
  const std::string why = ": must be 0, or at least the number of [[station]], which is 3";
  CHECK(fixture.refusal({Daemon::kSynthd, {"--max-stations", "2"}, {}, file}) == "--max-stations 2" + why);
  CHECK(fixture.refusal({Daemon::kStreamd, {}, {}, "[synthd]\nmax_stations = 1\n" + file}) ==
        "auralis.toml:2: [synthd] max_stations = 1" + why);
  CHECK(fixture.refusal({Daemon::kSynthd, {"--max-stations", "3"}, {}, file}) == "not refused");
  CHECK(fixture.refusal({Daemon::kSynthd, {"--max-stations", "0"}, {}, file}) == "not refused");
  CHECK(fixture.refusal({Daemon::kSynthd, {"--max-stations", "1"}, {}, {}}) == "not refused");
  CHECK(fixture.refusal({Daemon::kSynthd, {"--max-stations", "4097"}, {}, {}}) ==
        "--max-stations 4097: must be an integer from 0 to 4096");
}

TEST_CASE("--check-config checks the stations") {
  ConfigFixture fixture;
  const Sources valid{Daemon::kMetricsd, {"--check-config"}, {}, many_stations(2)};
  CHECK(fixture.load(valid).done);
  CHECK(fixture.out() == "configuration is valid: " + fixture.path() + "\n");
  CHECK(fixture.refusal({Daemon::kMetricsd, {"--check-config"}, {}, "[[station]]\nname = \"A\""}) !=
        "not refused");
}

TEST_CASE("--print-config prints stations that read back the same") {
  ConfigFixture fixture;
  std::string file =
      "[[station]]\nname = \"plain\"\n"
      "[[station]]\nname = \"sleepy\"\nseed = 9223372036854775807\npreset = \"sleep\"\nopen = true\n"
      "[[station]]\nname = \"own\"\npreset = \"bright\"\nkey = \"F#\"\nmode = \"ionian\"\npads = false\n";
  for (int i = 1; i <= 20; ++i) {
    // Numbers that differ from every preset's and have no short decimal form.
    const double odd = i / 60.9;
    std::ostringstream text;
    text << std::setprecision(17) << "[[station]]\nname = \"n" << i << "\"\nintensity = " << odd
         << "\nharmonic_density = " << std::pow(odd, i * 1.5) << "\nbpm = " << 40 + i + odd << '\n';
    file += text.str();
  }
  const auto stations = fixture.load({Daemon::kSynthd, {}, {}, file}).config.stations;
  REQUIRE(stations.size() == 23);
  CHECK(fixture.load({Daemon::kSynthd, {"--print-config"}, {}, file}).done);
  const std::string printed = fixture.out();
  CHECK(fixture.load({Daemon::kSynthd, {}, {}, printed}).config.stations == stations);

  // Values of the default, or the preset, are commented out.
  const std::size_t sleepy = printed.find("\n[[station]]\nname = \"sleepy\"\nseed = 9223372036854775807\n");
  REQUIRE(sleepy != std::string::npos);
  CHECK(printed.find("\npreset = \"sleep\"\n# key = \"E\"\n", sleepy) < printed.find("[[", sleepy + 3));
  CHECK(printed.find("\n# bpm = 40.0\n# intensity = 0.2\n", sleepy) < printed.find("[[", sleepy + 3));
  CHECK(printed.find("\nname = \"plain\"\n# seed = 1\n# preset = \"focus\"\n") < sleepy);
}

TEST_CASE("the default file ends with an example [[station]], every key explained") {
  ConfigFixture fixture;
  std::string file = default_config_file();
  for (const StationKey& key : station_keys()) {
    CAPTURE(key.key);
    CHECK(file.find("\n# " + std::string(key.key) + ": " + std::string(key.help).substr(0, 20)) !=
          std::string::npos);
  }
  std::size_t line = file.find("\n# [[station]]\n");
  REQUIRE(line != std::string::npos);
  for (; line != std::string::npos; line = file.find("\n# ", line + 1)) file.erase(line + 1, 2);

  StationConfig expected{"night", 7, preset("sleep"), true};
  expected.parameters.bpm = 45;
  expected.parameters.voices = 0b1011;
  CHECK(fixture.load({Daemon::kSynthd, {}, {}, file}).config.stations ==
        std::vector<StationConfig>{expected});
}

}  // namespace
}  // namespace auralis::config_stations_test
