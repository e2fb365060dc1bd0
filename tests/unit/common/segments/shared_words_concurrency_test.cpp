// SPDX-License-Identifier: MIT
#include "common/segments/shared_words.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <thread>
#include <vector>
namespace auralis::shared_words_concurrency_test {
namespace {

// As long as a station's state, and of as many equal words, so that a mixture of two values shows.
struct Value {
  std::array<std::uint64_t, 84> words;
};

constexpr std::uint64_t kStores = 200'000;
constexpr std::size_t kReaders = 3;

struct Tally {
  std::uint64_t mixed = 0;
  std::uint64_t backwards = 0;
};

Tally read_until_last(const SharedRecord<Value>& record) {
  Tally tally;
  std::uint64_t last = 0;
  while (last < kStores) {
    // Nothing yet, or overtaken time and again: try once more.
    const auto value = record.load();
    if (!value) continue;
    const std::uint64_t first = value->words.front();
    if (std::any_of(value->words.begin(), value->words.end(),
                    [&](std::uint64_t word) { return word != first; })) {
      ++tally.mixed;
    }
    if (first < last) ++tally.backwards;
    last = first;
  }
  return tally;
}

TEST_CASE("a record is never a mixture of two values, never goes back, and ends with the last one") {
  const auto record = std::make_unique<SharedRecord<Value>>();
  std::thread writer([&] {
    Value value{};
    for (std::uint64_t number = 1; number <= kStores; ++number) {
      value.words.fill(number);
      record->store(value);
    }
  });
  std::array<Tally, kReaders> tallies;
  std::vector<std::thread> readers;
  readers.reserve(tallies.size());
  for (Tally& tally : tallies) {
    readers.emplace_back([&] { tally = read_until_last(*record); });
  }
  writer.join();
  for (auto& reader : readers) reader.join();
  for (const Tally& tally : tallies) {
    CHECK(tally.mixed == 0);
    CHECK(tally.backwards == 0);
  }
  CHECK(record->version() == kStores);
}

}  // namespace
}  // namespace auralis::shared_words_concurrency_test
