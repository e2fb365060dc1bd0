// SPDX-License-Identifier: MIT
#include "common/music/permalink.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace auralis::permalink_test {
namespace {

using Random = std::mt19937_64;

constexpr std::uint64_t kLargestSeed = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t kLatestChunk = std::int64_t{1} << 40U;

Permalink read(const std::string& query) { return permalink_of(query_fields(query)); }

// The sentence that `query` is refused with; empty where it is not.
std::string refusal(const std::string& query) {
  try {
    read(query);
  } catch (const QueryError& error) {
    return error.what();
  }
  return {};
}

bool is_one_plain_sentence(const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return ' ' <= c && c <= '~'; });
  return plain && text.rfind("In the link, ", 0) == 0 && text.back() == '.' &&
         text.find(". ") == std::string::npos;
}

bool same(const ParameterHistory& a, const ParameterHistory& b) {
  const auto equal = [](const ParameterChange& x, const ParameterChange& y) {
    return x.chunk == y.chunk && x.parameters == y.parameters;
  };
  return a.first_bar == b.first_bar && a.first_bar_frame == b.first_bar_frame && a.count == b.count &&
         std::equal(a.changes.begin(), a.changes.begin() + a.count, b.changes.begin(), equal);
}

template <typename Choices>
auto any_of(const Choices& choices, Random& random) {
  return choices[random() % std::size(choices)];
}

// One that a control may have: an end of its range or next to one, awkward to write, or any.
float any_number(const NumberControl& control, Random& random) {
  const auto min = static_cast<float>(control.min);
  const auto max = static_cast<float>(control.max);
  const std::array<float, 4> ends{min, std::nextafter(min, max), max, std::nextafter(max, min)};
  const std::array<float, 7> awkward{0.1F, 1e-7F, -0.0F, 119.99999F, 1.17549435e-38F, 200 / 3.F, 1 / 3.F};
  const auto any = std::uniform_real_distribution<float>(min, max)(random);
  const float number = random() % 4 == 0 ? any_of(ends, random) : any_of(awkward, random);
  return random() % 2 == 0 || number < min || number > max ? any : number;
}

MusicParameters any_parameters(Random& random) {
  MusicParameters parameters;
  parameters.key = static_cast<std::uint8_t>(random() % kKeyNames.size());
  parameters.mode = static_cast<Mode>(random() % kModeNames.size());
  parameters.voices = static_cast<std::uint8_t>(random() % 16);
  for (const NumberControl& control : kNumberControls)
    parameters.*control.member = any_number(control, random);
  return parameters;
}

// Some of the controls move, as in a player; now and then none, or all.
MusicParameters moved(const MusicParameters& before, Random& random) {
  const MusicParameters other = any_parameters(random);
  MusicParameters after = before;
  if (random() % 4 == 0) after.key = other.key;
  if (random() % 4 == 0) after.mode = other.mode;
  if (random() % 4 == 0) after.voices = other.voices;
  for (const NumberControl& control : kNumberControls) {
    if (random() % 4 == 0) after.*control.member = other.*control.member;
  }
  return random() % 8 == 0 ? other : after;
}

ParameterHistory any_history(Random& random) {
  ParameterHistory history = begun_with(any_parameters(random));
  history.changes[0].chunk = random() % 2 == 0 ? 0 : static_cast<std::int64_t>(random() % 1'000'000);
  if (random() % 2 == 0) {
    history.first_bar = static_cast<std::int64_t>(random() % kLatestChunk);
    history.first_bar_frame = static_cast<std::int64_t>(random() % (kLatestChunk << 14U));
  }
  history.count = random() % 4 == 0 ? 128 : static_cast<std::uint32_t>(1 + random() % 128);
  for (std::size_t i = 1; i < history.count; ++i) {
    const ParameterChange& before = history.changes.at(i - 1);
    history.changes.at(i) = {before.chunk + 1 + static_cast<std::int64_t>(random() % 1'000'000'000),
                             moved(before.parameters, random)};
  }
  return history;
}

Timeline any_timeline(Random& random) {
  Timeline timeline;
  timeline.epoch_ns = static_cast<std::int64_t>(random() % 1'000'000'000'000);
  timeline.sample_rate = random() % 2 == 0 ? 44'100 : 48'000;
  timeline.chunk_frames = timeline.sample_rate / 100 * static_cast<std::uint32_t>(2 + random() % 19);
  return timeline;
}

TEST_CASE("parsing a link returns the history, seed and position that it was made from") {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const ParameterHistory history = any_history(random);
    REQUIRE(valid(history));
    const Timeline timeline = any_timeline(random);
    const std::uint64_t seed = round % 8 == 0 ? kLargestSeed - random() % 2 : random() >> random() % 64;
    const auto chunk = static_cast<std::int64_t>(random() % (kLatestChunk / 2 + 1));
    const std::string query = to_query(seed, history, timeline, chunk);
    CAPTURE(query);
    const Permalink link = read(query);
    CHECK(link.seed == seed);
    CHECK(link.chunk == chunk);
    CHECK(link.sample_rate == timeline.sample_rate);
    CHECK(link.chunk_ms == timeline.chunk_ns() / kNsPerMs);
    CHECK(valid(link.history));
    CHECK(same(link.history, history));
    // Nothing that a browser, a chat program or a shell would escape, except the query's own & and =.
    CHECK(query.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=&-") ==
          std::string::npos);
  }
}

TEST_CASE("a short query is parsed to the trimmed history, and is no longer than the full one") {
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    const ParameterHistory history = any_history(random);
    const Timeline timeline = any_timeline(random);
    const auto chunk = static_cast<std::int64_t>(random() % (kLatestChunk / 2 + 1));
    const std::string query = to_short_query(42, history, timeline, chunk);
    CAPTURE(query);
    const Permalink link = read(query);
    CHECK(link.seed == 42);
    CHECK(link.chunk == chunk);
    CHECK(same(link.history, trimmed(history, timeline, chunk)));
  }
  CHECK(to_short_query(42, begun_with(kPresets.front().parameters), Timeline(), 5) ==
        "station=new&seed=42&rate=44100&chunk=100&at=5&changes=0");
}

TEST_CASE("every float value of a control survives a round trip") {
  Random random(2);
  ParameterHistory history = begun_with(kPresets[0].parameters);
  const auto check = [&](float value) {
    history.changes[0].parameters.intensity = value;
    const std::string query = to_query(1, history, Timeline(), 0);
    CAPTURE(query);
    CHECK(read(query).history.changes[0].parameters.intensity == value);
  };
  for (const float value : {0.0F, -0.0F, 0.1F, 1e-7F, 1.0F, std::nextafter(1.0F, 0.0F), 1.17549435e-38F,
                            std::numeric_limits<float>::denorm_min()}) {
    check(value);
  }
  // Of every order of magnitude.
  for (int i = 0; i < 3'000; ++i) {
    check(
        std::ldexp(static_cast<float>(random() % 0x1000000) / 0x1000000, -static_cast<int>(random() % 130)));
  }
}

TEST_CASE("the header's example link is parsed as documented") {
  const Permalink link = read(
      "station=new&seed=42&rate=44100&chunk=100&at=5123&bar=7-123456&"
      "changes=3-kDs-mlydian-b72.5-i0.5-c1-v0-d.25-gpk_81-i0.3_90-g_91");
  CHECK(link.seed == 42);
  CHECK(link.sample_rate == 44'100);
  CHECK(link.chunk_ms == 100);
  CHECK(link.chunk == 5'123);
  ParameterHistory meant = begun_with({3, Mode::kLydian, 0b0101, 0, 72.5F, 0.5F, 1, 0, 0.25F});
  meant.first_bar = 7;
  meant.first_bar_frame = 123'456;
  meant.count = 4;
  for (std::size_t i = 1; i < 4; ++i) meant.changes.at(i) = meant.changes[0];
  meant.changes[0].chunk = 3;
  meant.changes[1].chunk = 81;
  meant.changes[2].chunk = 90;
  meant.changes[3].chunk = 91;
  for (std::size_t i = 1; i < 4; ++i) meant.changes.at(i).parameters.intensity = 0.3F;
  for (std::size_t i = 2; i < 4; ++i) meant.changes.at(i).parameters.voices = 0;
  CHECK(same(link.history, meant));
}

TEST_CASE("a short link is valid: omitted parts have their defaults") {
  const Permalink sleep = read("seed=42&preset=sleep");
  CHECK(sleep.seed == 42);
  CHECK(same(sleep.history, begun_with(find_preset("sleep")->parameters)));
  CHECK(sleep.chunk == 0);
  CHECK_FALSE(sleep.sample_rate);
  CHECK_FALSE(sleep.chunk_ms);
  for (const std::string query : {"", "station=new", "changes=0", "at=0&bar=0-0"}) {
    CAPTURE(query);
    const Permalink link = read(query);
    CHECK_FALSE(link.seed);
    CHECK(same(link.history, begun_with(find_preset("focus")->parameters)));
  }
  // The first change is one of focus.
  MusicParameters parameters = find_preset("focus")->parameters;
  parameters.bpm = 90;
  CHECK(same(read("changes=0-b90").history, begun_with(parameters)));
}

TEST_CASE("a query is decoded as browsers encode it") {
  const auto fields = query_fields("seed=4%32&&p%72eset=s%6Ceep&empty=&bare&plus=a+b&two=1=2&");
  const std::map<std::string, std::string> meant{{"seed", "42"}, {"preset", "sleep"}, {"empty", ""},
                                                 {"bare", ""},   {"plus", "a b"},     {"two", "1=2"}};
  CHECK(fields == meant);
  CHECK(read("changes=0-kC%23").history.changes[0].parameters.key == 1);
}

TEST_CASE("an invalid link gives one sentence that names the part and says what it must be") {
  struct Refused {
    std::string query, part, must;
  };
  const std::string counts = "&rate=44100&chunk=100";
  std::string crowd = "changes=0";
  for (int i = 1; i <= 128; ++i) crowd += "_" + std::to_string(i);
  const std::string integer = "an integer from ";
  const std::vector<Refused> all{
      {"seed=1&tempo=60", "tempo",
       "unknown; known are station, seed, preset, changes, bar, at, rate and chunk"},
      {"=1", "a field without a name", "unknown"},
      {"seed=1&seed=1", "seed", "given once"},
      {"seed=1&s%65ed=2", "seed", "given once"},
      {"seed=%4", "%", "followed by two hexadecimal digits"},
      {"seed=%", "%", "followed by two hexadecimal digits"},
      {"seed=%g1", "%", "followed by two hexadecimal digits"},
      {"se%1ged=1", "%", "followed by two hexadecimal digits"},
      {"seed=", "seed", integer + "0 to 18446744073709551615"},
      {"seed=-1", "seed", integer + "0 to 18446744073709551615"},
      {"seed=18446744073709551616", "seed", integer + "0 to 18446744073709551615"},
      {"seed=1.5", "seed", integer},
      {"seed=1+", "seed", integer},
      {"seed=0x10", "seed", integer},
      {"preset=techno", "preset", "focus, meditation, sleep or bright"},
      {"preset=", "preset", "focus, meditation, sleep or bright"},
      {"preset=sleep&changes=0-b60", "preset", "left out where changes is given"},
      {"changes=", "a chunk of changes", integer + "0 to 1099511627776"},
      {"changes=-b60", "a chunk of changes", integer},
      {"changes=0_-b60" + counts, "a chunk of changes", integer},
      {"changes=1099511627777", "a chunk of changes", integer},
      {"changes=0-", "each part of changes", "one of the letters k, m, b, i, c, v, d and g, and a value"},
      {"changes=0-x1", "each part of changes", "one of the letters"},
      {"changes=0-kH", "k of changes", "a key, as C or Cs"},
      {"changes=0-kEs", "k of changes", "a key"},
      {"changes=0-k", "k of changes", "a key"},
      {"changes=0-mmajor", "m of changes", "the name of a mode"},
      {"changes=0-m", "m of changes", "the name of a mode"},
      {"changes=0-gpx", "g of changes", "of the letters p, m, k and s"},
      {"changes=0-b39.99999", "b of changes, bpm,", "a number from 40 to 120"},
      {"changes=0-b120.00001", "b of changes, bpm,", "a number from 40 to 120"},
      {"changes=0-bnan", "b of changes, bpm,", "a number from 40 to 120"},
      {"changes=0-binf", "b of changes, bpm,", "a number from 40 to 120"},
      {"changes=0-b1e9", "b of changes, bpm,", "a number from 40 to 120"},
      {"changes=0-b60x", "b of changes, bpm,", "a number from 40 to 120"},
      {"changes=0-b", "b of changes, bpm,", "a number from 40 to 120"},
      {"changes=0-i1.0000001", "i of changes, intensity,", "a number from 0 to 1"},
      {"changes=0-cnan", "c of changes, melody_complexity,", "a number from 0 to 1"},
      {"changes=0-v2", "v of changes, chord_progression_variety,", "a number from 0 to 1"},
      {"changes=0-d1e9", "d of changes, harmonic_density,", "a number from 0 to 1"},
      {"changes=0-i0.5-b60-i0.6", "i of changes", "given once a change"},
      {"changes=5_5" + counts, "changes", "of chunks that rise"},
      {"changes=5_4" + counts, "changes", "of chunks that rise"},
      {crowd + counts, "changes", "at most 128"},
      {"bar=", "bar", "a bar and its first frame, joined by -"},
      {"bar=1", "bar", "a bar and its first frame"},
      {"bar=1-2-3", "bar", "a bar and its first frame"},
      {"bar=x-0", "bar", integer + "0 to 1099511627776"},
      {"bar=1-", "the first frame of bar", integer + "0 to 18014398509481984"},
      {"bar=1-18014398509481985", "the first frame of bar", integer},
      {"at=", "at", integer + "0 to 549755813888"},
      {"at=-1", "at", integer},
      {"at=1099511627777" + counts, "at", integer},
      {"rate=44100", "rate", "given with chunk"},
      {"chunk=100", "rate", "given with chunk"},
      {"rate=&chunk=100", "rate", integer + "8000 to 192000"},
      {"rate=7999&chunk=100", "rate", integer},
      {"rate=44100&chunk=", "chunk", integer + "1 to 1000"},
      {"rate=44100&chunk=0", "chunk", integer},
      {"at=1", "rate and chunk", "given, since at, bar and changes count in them"},
      {"changes=0_81-b70", "rate and chunk", "given"},
      {"bar=1-176400", "rate and chunk", "given"},
  };
  for (const Refused& one : all) {
    CAPTURE(one.query);
    const std::string told = refusal(one.query);
    CAPTURE(told);
    CHECK(is_one_plain_sentence(told));
    std::string meant = "In the link, " + one.part;
    meant.append(one.must.rfind("unknown", 0) == 0 ? " is " : " must be ").append(one.must);
    CHECK(told.rfind(meant, 0) == 0);
  }
}

TEST_CASE("values just within the limits are accepted") {
  std::string crowd = "rate=44100&chunk=100&changes=0";
  for (int i = 1; i < 128; ++i) crowd += "_" + std::to_string(i);
  CHECK(read(crowd).history.count == 128);
  CHECK(read("seed=18446744073709551615").seed == kLargestSeed);
  CHECK(read("changes=0-b40").history.changes[0].parameters.bpm == 40);
  CHECK(read("changes=0-b120").history.changes[0].parameters.bpm == 120);
  CHECK(read("at=549755813888&rate=8000&chunk=1").chunk == kLatestChunk / 2);
  CHECK(read("bar=1099511627776-18014398509481984&rate=192000&chunk=1000").history.first_bar == kLatestChunk);
}

TEST_CASE("an error contains no byte that would break a log line or JSON") {
  for (const std::string query : {"%0Anew%20line=1", "%ff=1&%ff=2", "a%22b=1", "\xc3\xa4=1", "%00=1"}) {
    CAPTURE(query);
    CHECK(is_one_plain_sentence(refusal(query)));
  }
  CHECK(refusal("%ff%0aa=1&%ff%0aa=2") == "In the link, %FF%0Aa must be given once.");
}

TEST_CASE("a randomly altered link is either parsed to a valid history, or rejected with a sentence") {
  Random random(3);
  const std::string_view letters = "0123456789-_.=&%+kmbicvdgpsCDs# \n\xff";
  int taken = 0;
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    ParameterHistory history = begun_with(any_parameters(random));
    if (round % 2 == 0) {
      history.count = 3;
      history.changes[1] = {40, moved(history.changes[0].parameters, random)};
      history.changes[2] = {81, moved(history.changes[1].parameters, random)};
      history.first_bar = 2;
      history.first_bar_frame = 12'345;
    }
    std::string query =
        round % 16 == 0 ? "seed=42&preset=sleep" : to_query(random(), history, Timeline(), 99);
    for (std::uint64_t hits = 1 + random() % 3; hits > 0; --hits) {
      const std::size_t place = random() % query.size();
      const char letter = random() % 8 == 0 ? static_cast<char>(random()) : any_of(letters, random);
      const std::size_t length = random() % 12;
      switch (random() % 4) {
        case 0:
          query[place] = letter;
          break;
        case 1:
          query.insert(place, 1, letter);
          break;
        case 2:
          query.erase(place, 1 + length / 4);
          break;
        default:
          query.insert(random() % query.size(), query.substr(place, length));
      }
      if (query.empty()) query = "&";
    }
    CAPTURE(query);
    try {
      const Permalink link = read(query);
      ++taken;
      REQUIRE(valid(link.history));
      REQUIRE((0 <= link.chunk && link.chunk <= kLatestChunk / 2));
      REQUIRE(link.sample_rate.has_value() == link.chunk_ms.has_value());
    } catch (const QueryError& error) {
      ++refused;
      REQUIRE(is_one_plain_sentence(error.what()));
    }
  }
  // Both must be frequent, or the test would cover little.
  CHECK(taken > 1'500);
  CHECK(refused > 1'500);
}

TEST_CASE("tracking parameters added to a link are ignored") {
  const Permalink link = read("station=new&preset=sleep&seed=42");
  for (const char* added : {"utm_source=mail", "fbclid=IwAR0", "gclid=1", "msclkid=1", "igshid=1", "_ga=1.2",
                            "utm_id=1&utm_id=2", "utm_term=%zz"}) {
    CAPTURE(added);
    const Permalink passed_on = read(std::string(added) + "&station=new&preset=sleep&seed=42&" + added);
    CHECK(passed_on.seed == link.seed);
    CHECK(passed_on.history.changes[0].parameters == link.history.changes[0].parameters);
  }
  CHECK_THROWS_AS(read("station=new&sed=42"), QueryError);
  CHECK_THROWS_AS(read("station=new&clid=42"), QueryError);
}

}  // namespace
}  // namespace auralis::permalink_test
