// SPDX-License-Identifier: MIT
#include "common/segments/shared_words.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>

namespace auralis::shared_words_test {
namespace {

TEST_CASE("bytes come back as they were, whatever their number, and nothing behind them is touched") {
  const std::string text = "abcdefghijklmnopqrstuvwxyz";
  for (std::size_t bytes = 0; bytes <= text.size(); ++bytes) {
    std::array<SharedWord, 5> words;
    for (auto& word : words) word.store(~std::uint64_t{0});
    store_words(words.data(), text.data(), bytes);
    CHECK(words[words_for(bytes)].load() == ~std::uint64_t{0});

    std::string back(text.size() + 1, '.');
    load_words(back.data(), words.data(), bytes);
    CHECK(back == text.substr(0, bytes) + std::string(text.size() + 1 - bytes, '.'));
  }
}

TEST_CASE("the last word is padded with zeros, not with what stood there") {
  std::array<SharedWord, 1> words;
  words[0].store(~std::uint64_t{0});
  store_words(words.data(), "x", 1);
  CHECK(words[0].load() == 'x');
}

struct Triple {
  int a, b, c;
};
using Record = SharedRecord<Triple>;

// A record as a mapping gives it: zeros.
std::unique_ptr<Record> zeroed() { return std::make_unique<Record>(); }

TEST_CASE("a record of zeros is empty") {
  const auto record = zeroed();
  CHECK_FALSE(record->load().has_value());
  CHECK(record->version() == 0);
}

TEST_CASE("a record gives back what was stored last, and counts the stores") {
  const auto record = zeroed();
  for (int i = 1; i <= 5; ++i) {
    record->store({i, 2 * i, 3 * i});
    const auto value = record->load();
    REQUIRE(value);
    CHECK(value->a == i);
    CHECK(value->b == 2 * i);
    CHECK(value->c == 3 * i);
    CHECK(record->version() == static_cast<std::uint64_t>(i));
  }
}

TEST_CASE(
    "a writer killed in the middle of a store leaves the last whole value in force, also for its successor") {
  const auto record = zeroed();
  record->store({1, 1, 1});
  record->store({2, 2, 2});
  // Writes what a third store had written of its value before it was killed: its buffer, but not yet the
  // version. The buffers follow the version's cache-line-aligned word; value 2 is in the first, so a third
  // goes into the second.
  auto* words = reinterpret_cast<SharedWord*>(record.get()) + 1;
  words[words_for(sizeof(Triple))].store(~std::uint64_t{0});

  REQUIRE(record->load());
  CHECK(record->load()->a == 2);
  record->store({4, 4, 4});
  CHECK(record->load()->c == 4);
}

}  // namespace
}  // namespace auralis::shared_words_test
