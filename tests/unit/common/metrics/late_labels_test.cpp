// SPDX-License-Identifier: MIT
#include "common/metrics/late_labels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace auralis::late_labels_test {
namespace {

TEST_CASE("as_late_text: any text becomes one that late_text() takes") {
  CHECK(as_late_text("plain") == "plain");
  CHECK(as_late_text("caf\xc3\xa9\n") == "caf???");
  CHECK(as_late_text(std::string(100, 'x')) == std::string(63, 'x'));
  CHECK_NOTHROW(late_text(as_late_text(std::string(100, '\xff'))));
}

TEST_CASE("a late label has no text at first, then the newest") {
  const auto labels = std::make_unique<LateLabels>();
  CHECK(text_of(labels->front()).empty());
  labels->front().store(late_text("forest"));
  CHECK(text_of(labels->front()) == "forest");
  labels->front().store(late_text("sea"));
  CHECK(text_of(labels->front()) == "sea");
  labels->front().store(late_text(""));
  CHECK(text_of(labels->front()).empty());
}

TEST_CASE("a text is up to 63 bytes of printable ASCII") {
  const auto labels = std::make_unique<LateLabels>();
  const std::string longest(63, '~');
  labels->back().store(late_text(longest));
  CHECK(text_of(labels->back()) == longest);
  for (const std::string& wrong : {std::string(64, 'x'), std::string("a\nb"), std::string("a\0b", 3),
                                   std::string("\0", 1), std::string("\x7f"), std::string("caf\xc3\xa9")}) {
    CHECK_THROWS_AS(late_text(wrong), std::invalid_argument);
  }
}

TEST_CASE("bytes that no writer stores are no text") {
  LateText bytes = late_text("forest");
  SUBCASE("no end") { std::fill(std::begin(bytes.bytes), std::end(bytes.bytes), 'x'); }
  SUBCASE("something behind the end") { bytes.bytes[63] = 'x'; }
  SUBCASE("a byte that is not printable") { bytes.bytes[2] = '\xff'; }
  SUBCASE("a line break") { bytes.bytes[2] = '\n'; }
  const auto labels = std::make_unique<LateLabels>();
  labels->front().store(bytes);
  CHECK(text_of(labels->front()).empty());
}

TEST_CASE(
    "a text that was changed after it had been looked up is not taken for the label of the metrics read") {
  const auto labels = std::make_unique<LateLabels>();
  for (const std::size_t index : {0U, 1U, 2U}) (*labels)[index].store(late_text("old"));
  LateTexts texts(labels.get());
  CHECK(texts[0] == "old");
  CHECK(texts[3].empty());
  (*labels)[0].store(late_text("new"));
  // Another station's metrics may have come and gone meanwhile.
  (*labels)[1].store(late_text("new"));
  (*labels)[1].store(late_text("old"));
  (*labels)[3].store(late_text("new"));
  texts.forget_changed();
  CHECK(texts[0].empty());
  CHECK(texts[1].empty());
  CHECK(texts[2] == "old");
  CHECK(texts[3].empty());
}

TEST_CASE("without late labels all texts are empty") {
  LateTexts texts(nullptr);
  texts.forget_changed();
  for (std::size_t index = 0; index < kLateLabels; ++index) CHECK(texts[index].empty());
}

}  // namespace
}  // namespace auralis::late_labels_test
