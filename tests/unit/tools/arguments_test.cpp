// SPDX-License-Identifier: MIT
#include "tools/arguments.h"

#include <doctest/doctest.h>

#include <array>
#include <sstream>

namespace auralis::arguments_test {
namespace {

// A command line with one option, --size.
struct Fixture {
  Arguments declared{"Measures.", "auralis-measure"};
  std::ostringstream out;

  Fixture() {
    declared.declare_plain("FILE", "What to measure");
    declared.declare("--size", "N", "A size", "Sizes");
    declared.declare_switch("--fast", "Guess", "Sizes");
    declared.set_footer("Exit status: 0.");
  }

  Arguments& given(std::vector<const char*> words) {
    words.insert(words.begin(), "auralis-measure");
    declared.parse(static_cast<int>(words.size()), words.data(), out);
    return declared;
  }
};

template <typename Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "an option that is not given has no text, and its fallback as number") {
  const Arguments& none = given({});
  CHECK(none.text("--size") == nullptr);
  CHECK(none.number("--size", 0, 1, 0.5) == 0.5);
  CHECK(none.whole_number("--size", 0, 9, 4) == 4);
  CHECK(none.choice("--size", std::array<const char*, 2>{"s", "l"}, 1) == 1);
}

TEST_CASE_FIXTURE(Fixture, "a switch is on if it is given; an argument that is no option stands apart") {
  CHECK_FALSE(given({}).is_given("--fast"));
  CHECK(declared.plain().empty());
  CHECK(given({"--fast", "a.wav"}).is_given("--fast"));
  CHECK(declared.plain() == "a.wav");
  CHECK(refusal([&] { given({"a.wav", "b.wav"}); }) == "b.wav: unknown option; --help lists them");
}

TEST_CASE_FIXTURE(Fixture, "the help begins with the description and ends with the footer") {
  given({"--help"});
  CHECK(out.str().find("Measures.\n") == 0);
  CHECK(out.str().find("FILE") != std::string::npos);
  CHECK(out.str().find("Exit status: 0.\n") == out.str().size() - 16);
}

TEST_CASE_FIXTURE(Fixture, "the version follows the program's name") {
  given({"--version"});
  CHECK(out.str() == std::string("auralis-measure ") + AURALIS_VERSION + "\n");
}

TEST_CASE_FIXTURE(Fixture, "of an option that is given twice the last one counts") {
  CHECK(*given({"--size", "1", "--size", "2"}).text("--size") == "2");
}

TEST_CASE_FIXTURE(Fixture, "a number lies in its range, ends included, and has nothing after it") {
  for (const char* text : {"0.25", "1", "4"}) {
    CAPTURE(text);
    CHECK(given({"--size", text}).number("--size", 0.25, 4, 0) == std::stod(text));
  }
  for (const char* text : {"0.24", "4.01", "nan", "inf", "1x", "", " 1", "0x1"}) {
    CAPTURE(text);
    const Arguments& arguments = given({"--size", text});
    const std::string sentence = refusal([&] { arguments.number("--size", 0.25, 4, 0); });
    CHECK(sentence == "--size " + shown(text) + ": must be a number from 0.25 to 4");
  }
}

TEST_CASE_FIXTURE(Fixture, "a whole number has no fraction and does not overflow") {
  CHECK(given({"--size", "9"}).whole_number("--size", 1, 9, 0) == 9);
  for (const char* text : {"0", "10", "1.5", "99999999999999999999", ""}) {
    CAPTURE(text);
    const Arguments& arguments = given({"--size", text});
    const std::string sentence = refusal([&] { arguments.whole_number("--size", 1, 9, 0); });
    CHECK(sentence == "--size " + shown(text) + ": must be a whole number from 1 to 9");
  }
}

TEST_CASE_FIXTURE(Fixture, "a choice is one of its names, and its refusal lists them") {
  const std::array<std::string_view, 3> names{"small", "medium", "large"};
  CHECK(given({"--size", "large"}).choice("--size", names, 0) == 2);
  const Arguments& arguments = given({"--size", "Large"});
  CHECK(refusal([&] { arguments.choice("--size", names, 0); }) ==
        "--size Large: must be small, medium or large");
}

TEST_CASE_FIXTURE(Fixture, "an option for a configuration key has the key's check") {
  const ConfigKey& key = config_keys().at(config_key_index("audio", "sample_rate"));
  Config config;
  given({"--size", "48000"}).read("--size", key, config);
  CHECK(config.audio.sample_rate == 48'000);
  const Arguments& arguments = given({"--size", "1"});
  CHECK(refusal([&] { arguments.read("--size", key, config); }) == "--size 1: must be " + key.rule.allowed);
  CHECK(config.audio.sample_rate == 48'000);
}

TEST_CASE("texts are quoted if they would not be plain in a sentence") {
  CHECK(shown("music/day-1.wav") == "music/day-1.wav");
  CHECK(shown("") == "\"\"");
  CHECK(shown("two words") == "\"two words\"");
  CHECK(shown("line\nbreak").find('\n') == std::string::npos);
}

TEST_CASE("numbers, names and flags are written as users type them") {
  CHECK(number_text(0.5) == "0.5");
  CHECK(number_text(1'000'000) == "1000000");
  CHECK(flag_of("melody_complexity") == "--melody-complexity");
  CHECK(choice_of(std::array<const char*, 1>{"a"}) == "a");
  CHECK(choice_of(std::array<const char*, 3>{"a", "b", "c"}) == "a, b or c");
}

}  // namespace auralis::arguments_test
