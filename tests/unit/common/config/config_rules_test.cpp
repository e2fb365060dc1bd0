// SPDX-License-Identifier: MIT
#include "common/config/config_rules.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

namespace auralis::config_rules_test {
namespace {

using Texts = std::initializer_list<std::string>;

bool admits(const ConfigRule& rule, const ConfigValue& value) { return rule.admits(value); }
bool admits_number(const ConfigRule& rule, std::int64_t number) { return rule.admits(number); }

void check(const ConfigRule& rule, Texts good, Texts bad) {
  for (const std::string& text : good) CHECK_MESSAGE(rule.admits(text), text);
  for (const std::string& text : bad) CHECK_FALSE_MESSAGE(rule.admits(text), text);
}

TEST_CASE("integer_from: admits its bounds and what is between them") {
  const ConfigRule rule = integer_from(-5, 10);
  CHECK(rule.allowed == "an integer from -5 to 10");
  for (const int good : {-5, 0, 10}) CHECK_MESSAGE(admits_number(rule, good), good);
  for (const int bad : {-6, 11}) CHECK_FALSE_MESSAGE(admits_number(rule, bad), bad);
  CHECK(admits_number(integer_from(0, std::numeric_limits<std::int64_t>::max()), INT64_MAX));
}

TEST_CASE("multiple_of: admits the steps between its bounds alone") {
  const ConfigRule rule = multiple_of(10, 20, 200);
  CHECK(rule.allowed == "a multiple of 10 from 20 to 200");
  for (const int good : {20, 30, 200}) CHECK_MESSAGE(admits_number(rule, good), good);
  for (const int bad : {10, 25, 210, -20, 0}) CHECK_FALSE_MESSAGE(admits_number(rule, bad), bad);
}

TEST_CASE("number_from: admits its bounds, and nothing that is no number") {
  const ConfigRule rule = number_from(40, 120);
  CHECK(rule.allowed == "a number from 40 to 120");
  for (const double good : {40.0, 60.5, 120.0}) CHECK_MESSAGE(admits(rule, good), good);
  for (const double bad : {39.999, 120.001, std::nan(""), static_cast<double>(INFINITY)})
    CHECK_FALSE_MESSAGE(admits(rule, bad), bad);
}

TEST_CASE("boolean: admits both") {
  CHECK(boolean().allowed == "true or false");
  CHECK(boolean().admits(ConfigValue(true)));
  CHECK(boolean().admits(ConfigValue(false)));
}

TEST_CASE("one_of: lists its choices, and admits no other") {
  CHECK(one_of({"text"}).allowed == "text");
  CHECK(one_of({"a", "b"}).allowed == "a or b");
  const ConfigRule names = one_of({"a", "b", "c"});
  CHECK(names.allowed == "a, b or c");
  check(names, {"a", "c"}, {"", "A", "d", "a, b"});
  const ConfigRule rates = one_of({std::int64_t{44'100}, std::int64_t{48'000}});
  CHECK(rates.allowed == "44100 or 48000");
  CHECK(admits_number(rates, 48'000));
  CHECK_FALSE(admits_number(rates, 44'101));
}

TEST_CASE("one_of_names: admits the names of an enumeration's values, which convert both ways") {
  constexpr std::array<std::string_view, 2> kNames{"left", "right"};
  enum class Side { kLeft, kRight };
  CHECK(one_of_names(kNames).allowed == "left or right");
  check(one_of_names(kNames), {"left", "right"}, {"middle"});
  CHECK(choice_name(kNames, Side::kRight) == "right");
  CHECK((choice_named<Side>(kNames, "left") == Side::kLeft));
  CHECK((choice_named<Side>(kNames, "right") == Side::kRight));
}

TEST_CASE("preset_name: admits the presets") {
  CHECK(preset_name().allowed == "focus, meditation, sleep or bright");
  check(preset_name(), {"focus", "bright"}, {"", "Focus", "loud"});
}

TEST_CASE("station_name: admits what fits a URL and is not reserved") {
  CHECK(station_name().allowed ==
        "1 to 31 of a-z, 0-9, _ and -, but not new or personal, which are reserved");
  check(station_name(), {"a", "night_1", "new-age", std::string(31, 'x')},
        {"", "new", "personal", "Night", "a b", "a/b", std::string(32, 'x')});
}

TEST_CASE("host: admits what can be bound: addresses and localhost") {
  CHECK(host().allowed == "an IPv4 address, an IPv6 address (not link-local) or localhost");
  check(
      host(), {"localhost", "127.0.0.1", "0.0.0.0", "::", "::1", "2001:db8::1"},
      {"", "*", "example.org", "127.0.0.256", "127.0.0.1:80", "[::1]", "fe80::1", std::string("::1\0x", 5)});
}

TEST_CASE("endpoint: admits what ZeroMQ binds to") {
  CHECK(endpoint().allowed == "an endpoint that begins with tcp:// or ipc://, such as tcp://127.0.0.1:5556");
  check(endpoint(),
        {"tcp://127.0.0.1:5556", "tcp://*:*", "tcp://[::1]:65535", "tcp://eth0:1",
         "ipc:///" + std::string(106, 'x')},
        {"", "tcp://", "ipc://", "udp://127.0.0.1:1", "tcp://127.0.0.1", "tcp://127.0.0.1:65536",
         "tcp://localhost:1", "tcp://::1:1", "ipc:///" + std::string(107, 'x'),
         std::string("ipc:///a\0b", 10)});
}

TEST_CASE("path_or_empty: admits absolute paths and nothing at all") {
  CHECK(path_or_empty().allowed == "an absolute path, or empty");
  check(path_or_empty(), {"", "/", "/run/auralis"}, {"run", "./run", "~/run"});
}

TEST_CASE("url_or_empty: admits http and https with a host, and nothing at all") {
  CHECK(url_or_empty().allowed == "a URL that begins with http:// or https://, without @, or empty");
  check(url_or_empty(), {"", "http://localhost:4318/v1/traces", "https://[::1]/", "http://a"},
        {"localhost:4318", "ftp://a/", "http://", "http:///v1", "http://:4318/", "http://me@a/",
         "http://a b/", "http://a/\n", "https://\xc3\xa4/"});
}

TEST_CASE("network_list and origin_list: admit what their readers understand") {
  CHECK(network_list().allowed == "addresses and networks such as 10.0.0.0/8, separated by commas, or empty");
  check(network_list(), {"", "10.0.0.0/8", "10.0.0.1,::1"}, {"10.0.0.0/33", "proxy", ","});
  CHECK(origin_list().allowed == "origins such as https://example.org, separated by commas, or *, or empty");
  check(origin_list(), {"", "*", "https://example.org", "https://a.org,http://b.org:8080"},
        {"example.org", "https://example.org/path", "https://"});
}

TEST_CASE("any_text: admits every text") {
  CHECK(any_text().allowed == "text");
  check(any_text(), {"", "anything \" at all\n"}, {});
}

}  // namespace
}  // namespace auralis::config_rules_test
